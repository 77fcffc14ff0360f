#include "ace/evaluate.hpp"

#include "instruction_set.hpp"

namespace adiabat::ace {

Evaluator::Evaluator(const PlanSource &source) : in_double_((require_sound(source), source)), in_single_(source) {}

template <class T>
void Evaluator::run(const PlanTables<T> &tables, const Kernel<T> &kernel, const EdgeList &edges,
                    const Configuration &configuration, const Request &request, int threads) {
  const Plan<T> &plan = tables.view();
  scheduler_.run(edges, configuration, request, plan.species, kernel.lanes, threads,
                 kernel.scratch_bytes(plan, edges.longest_row()),
                 [&](const Edges &view, const std::int32_t *order, std::int64_t blocks, void *scratch, const Collected &c) {
                   const Output<T> output{1,         request.energies, request.nearest, request.forces,
                                          c.virials, c.pulls,          c.twists};
                   kernel.evaluate(plan, view, order, blocks, scratch, output);
                 });
}

void Evaluator::evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single,
                         int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (single)
    run(in_single_, set.in_single, edges, configuration, request, threads);
  else
    run(in_double_, set.in_double, edges, configuration, request, threads);
}

}  // namespace adiabat::ace
