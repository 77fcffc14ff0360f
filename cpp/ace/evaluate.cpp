#include "ace/evaluate.hpp"

#include "instruction_set.hpp"

namespace adiabat::ace {

Evaluator::Evaluator(const PlanSource &source) : in_double_((require_sound(source), source)), in_single_(source) {}

template <class T>
void Evaluator::run(const PlanTables<T> &tables, const Kernel<T> &kernel, const EdgeList &edges,
                    const Configuration &configuration, const Request &request, int threads) {
  const Plan<T> &plan = tables.view();
  scheduler_.run<T>(
      edges, configuration, request, plan.species, kernel.lanes, threads,
      [&](const Edges &view) { return kernel.scratch_bytes(plan, view); },
      [&](const Edges &view, const std::int64_t *order, std::int64_t first, std::int64_t last, void *scratch,
          T *edge_gradients) {
        const Output<T> output{plan.members,       request.energies, request.nearest, request.forces, edge_gradients, request.virials};
        kernel.evaluate(plan, view, order, first, last, scratch, output);
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
