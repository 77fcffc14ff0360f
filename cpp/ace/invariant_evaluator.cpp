#include "ace/invariant_evaluator.hpp"

#include <cmath>
#include <stdexcept>

#include "instruction_set.hpp"

namespace adiabat::ace {
namespace {

const InvariantSource &sound(const PlanSource &plan, const InvariantSource &source) {
  require_sound(plan);
  if (source.functions < 0) throw std::invalid_argument("the number of functions is not negative");
  const std::size_t nodes = source.left.size();
  require_components(source.components, nodes, static_cast<std::int64_t>(plan.programs.size()) * density_count(plan));
  const std::size_t components = source.components.start.size() - 1;
  require_nodes(source.left, source.right, components);
  if (source.second.size() != source.first.size()) throw std::invalid_argument("every product has two factors");
  require_places(source.first, components + nodes + 1);
  require_places(source.second, components + nodes + 1);
  require_rows(source.coupling, source.first.size(), source.functions);
  return source;
}

}  // namespace

template <class T>
InvariantEvaluator::Tables<T>::Tables(const InvariantSource &source, std::int32_t density)
    : of_density_(tables<T>(source.components)), of_component_(tables<T>(transposed(source.components, density))),
      coupling_(tables<T>(source.coupling)), left_(places(source.left)), right_(places(source.right)),
      first_(places(source.first)), second_(places(source.second)) {
  view_ = {source.functions,
           static_cast<std::int32_t>(source.components.start.size()) - 1,
           static_cast<std::int32_t>(source.left.size()),
           static_cast<std::int32_t>(source.first.size()),
           of_density_.view(),
           of_component_.view(),
           left_.data(),
           right_.data(),
           first_.data(),
           second_.data(),
           coupling_.view()};
}

InvariantEvaluator::InvariantEvaluator(const PlanSource &plan, const InvariantSource &source)
    : plan_((sound(plan, source), plan)), plan_in_single_(plan),
      table_(source, plan_.view().species * plan_.view().density),
      table_in_single_(source, plan_.view().species * plan_.view().density) {}

template <class T>
void InvariantEvaluator::run(const PlanTables<T> &plan_tables, const Tables<T> &tables, const Kernel<T> &kernel,
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
