#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ace/evaluate.hpp"
#include "ace/plan.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// The arrays of FunctionTable, see there. The components are rows over the densities of all species, as in ProgramSource.
struct FunctionSource {
  SparseSource components;
  std::vector<std::int64_t> pair_start;
  std::vector<std::int32_t> pair_component;
  std::vector<std::int64_t> term_start;
  std::vector<double> term_weight;
  std::vector<std::int32_t> term_factor;
  std::vector<std::int32_t> factors;  // (functions,)
};

class RowBuilder {
 public:
  // The plan's programs are not used. Throws std::invalid_argument where an index leaves its table.
  RowBuilder(const PlanSource &plan, const FunctionSource &functions);

  std::int32_t species() const { return plan_.view().species; }
  std::int32_t functions() const { return table_.functions; }

  // Rows of one structure, or of several one below the other. `forces` is zeroed here.
  // Throws std::invalid_argument as Evaluator::evaluate.
  void rows(const EdgeList &edges, const Configuration &configuration, const RowOutput &output,
            const std::string &instruction_set) const;

 private:
  PlanTables<double> plan_;
  FunctionSource source_;
  SparseSource by_species_;
  std::vector<std::int32_t> radial_, harmonic_;
  std::vector<double> inverse_factors_;
  FunctionTable table_{};
};

}  // namespace adiabat::ace
