#pragma once
#include <cstdint>
#include <string>

#include "ace/invariant_tables.hpp"
#include "ace/plan.hpp"
#include "ace/scheduler.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

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
  void run(const PlanTables<T> &plan, const InvariantTables<T> &tables, const Kernel<T> &kernel, const EdgeList &edges,
           const Configuration &configuration, double *invariants, const double *by_invariant, const Request &request,
           int threads);

  PlanTables<double> plan_;
  PlanTables<float> plan_in_single_;
  InvariantTables<double> table_;
  InvariantTables<float> table_in_single_;
  Scheduler scheduler_;
};

}  // namespace adiabat::ace
