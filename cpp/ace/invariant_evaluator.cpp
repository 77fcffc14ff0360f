#include "ace/invariant_evaluator.hpp"

#include <cmath>
#include <stdexcept>

#include "instruction_set.hpp"

namespace adiabat::ace {

InvariantEvaluator::InvariantEvaluator(const PlanSource &plan, const InvariantSource &source)
    : plan_((require_sound(plan, source), plan)), plan_in_single_(plan),
      table_(source, plan_.view().species * plan_.view().density),
      table_in_single_(source, plan_.view().species * plan_.view().density) {}

template <class T>
void InvariantEvaluator::run(const PlanTables<T> &plan_tables, const InvariantTables<T> &tables, const Kernel<T> &kernel,
                             const EdgeList &edges, const Configuration &configuration, double *invariants,
                             const double *by_invariant, const Request &request, int threads) {
  const Plan<T> &plan = plan_tables.view();
  scheduler_.run(edges, configuration, request, plan.species, kernel.lanes, threads,
                 kernel.invariant_scratch_bytes(plan, tables.view(), edges.longest_row()),
                 [&](const Edges &view, const std::int32_t *order, std::int64_t blocks, void *scratch, const Collected &c) {
                   const Output<T> sums{1,       request.energies, request.nearest, request.forces, c.virials,
                                        c.pulls, c.twists};
                   kernel.invariants(plan, tables.view(), view, order, blocks, scratch, {sums, invariants, by_invariant});
                 });
}

void InvariantEvaluator::forward(const EdgeList &edges, const Configuration &configuration, double *invariants,
                                 const Request &request, bool single, int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (request.forces) throw std::invalid_argument("forces need the derivatives by the invariants");
  if (single)
    run(plan_in_single_, table_in_single_, set.in_single, edges, configuration, invariants, nullptr, request, threads);
  else
    run(plan_, table_, set.in_double, edges, configuration, invariants, nullptr, request, threads);
}

void InvariantEvaluator::backward(const EdgeList &edges, const Configuration &configuration, const double *by_invariant,
                                  const Request &request, bool single, int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (!request.forces) throw std::invalid_argument("derivatives by the invariants give forces");
  for (std::int64_t k = 0; k < edges.atoms() * functions(); ++k)
    if (!std::isfinite(by_invariant[k])) throw std::invalid_argument("derivatives by the invariants must be finite");
  if (single)
    run(plan_in_single_, table_in_single_, set.in_single, edges, configuration, nullptr, by_invariant, request, threads);
  else
    run(plan_, table_, set.in_double, edges, configuration, nullptr, by_invariant, request, threads);
}

}  // namespace adiabat::ace
