#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ace/plan.hpp"
#include "ace/scheduler.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// The arrays of InvariantTable, see there; places are not yet multiplied, and the components not yet transposed.
struct InvariantSource {
  std::int32_t functions;
  SparseSource components;
  std::vector<std::int32_t> left, right, first, second;
  SparseSource coupling;
};

// The invariants in both floating-point types, so that any function of them can be differentiated.
class InvariantEvaluator {
 public:
  // The plan's programs say only how many species there are. Throws std::invalid_argument where an index leaves its table.
  InvariantEvaluator(const PlanSource &plan, const InvariantSource &source);

  std::int32_t species() const { return plan_.view().species; }
  std::int32_t functions() const { return table_.view().functions; }

  // Invariants (atoms, functions), and energies of the repulsion. The request wants no forces.
  // Throws as Evaluator::evaluate.
  void forward(const EdgeList &edges, const Configuration &configuration, double *invariants, const Request &request,
               bool single, int threads, const std::string &instruction_set);

  // Forces and virials of the repulsion and of a function of the invariants with derivatives (atoms, functions).
  // Throws as Evaluator::evaluate, and where a derivative is not finite.
  void backward(const EdgeList &edges, const Configuration &configuration, const double *by_invariant,
                const Request &request, bool single, int threads, const std::string &instruction_set);

 private:
  template <class T>
  class Tables {
   public:
    explicit Tables(const InvariantSource &source, std::int32_t density);
    Tables(const Tables &) = delete;
    Tables &operator=(const Tables &) = delete;
    const InvariantTable<T> &view() const { return view_; }

   private:
    SparseTables<T> of_density_, of_component_, coupling_;
    std::vector<std::uint32_t> left_, right_, first_, second_;
    InvariantTable<T> view_{};
  };
  template <class T>
  void run(const PlanTables<T> &plan, const Tables<T> &tables, const Kernel<T> &kernel, const EdgeList &edges,
           const Configuration &configuration, double *invariants, const double *by_invariant, const Request &request,
           int threads);

  PlanTables<double> plan_;
  PlanTables<float> plan_in_single_;
  Tables<double> table_;
  Tables<float> table_in_single_;
  Scheduler scheduler_;
};

}  // namespace adiabat::ace
