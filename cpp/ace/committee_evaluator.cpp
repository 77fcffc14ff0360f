#include "ace/committee_evaluator.hpp"

#include <cstddef>

#include "instruction_set.hpp"

namespace adiabat::ace {
namespace {

constexpr std::int32_t most_members = 1024;

void require_sound(const PlanSource &plan, const InvariantSource &invariants, const MemberSource &members) {
  require_sound(plan, invariants);
  require(members.members >= 1 && members.members <= most_members, "a committee has between 1 and 1024 members");
  require(members.coefficients.size() == plan.programs.size(), "every species has coefficients");
  const std::size_t functions = invariants.invariants.start.size() - 1;
  for (const auto &coefficients : members.coefficients) {
    require(coefficients.size() == functions * static_cast<std::size_t>(members.members),
            "every member has a coefficient for each function");
    require_finite(coefficients);
  }
}

}  // namespace

template <class T>
CommitteeEvaluator::MemberTables<T>::MemberTables(const PlanSource &plan, const MemberSource &source) {
  for (const auto &coefficients : source.coefficients) coefficients_.emplace_back(coefficients.begin(), coefficients.end());
  for (const auto &coefficients : coefficients_) starts_.push_back(coefficients.data());
  for (const auto &program : plan.programs) shifts_.push_back(program.shift);
  view_ = {source.members, starts_.data(), shifts_.data()};
}

CommitteeEvaluator::CommitteeEvaluator(const PlanSource &plan, const InvariantSource &invariants,
                                       const MemberSource &members)
    : plan_((require_sound(plan, invariants, members), plan)), plan_in_single_(plan),
      table_(invariants, plan_.view().species * plan_.view().density),
      table_in_single_(invariants, plan_.view().species * plan_.view().density), members_(plan, members),
      members_in_single_(plan, members) {}

template <class T>
void CommitteeEvaluator::run_each(const PlanTables<T> &plan_tables, const InvariantTables<T> &tables,
                                  const MemberTables<T> &members, const Kernel<T> &kernel, const EdgeList &edges,
                                  const Configuration &configuration, const Request &request, int threads) {
  const Plan<T> &plan = plan_tables.view();
  scheduler_.run(edges, configuration, request, plan.species, kernel.lanes, threads,
                 kernel.committee_scratch_bytes(plan, tables.view(), members.view(), edges.longest_row()),
                 [&](const Edges &view, const std::int32_t *order, std::int64_t blocks, void *scratch, const Collected &c) {
                   kernel.committee(plan, tables.view(), members.view(), view, order, blocks, scratch,
                                    {request.members, request.energies, request.nearest, request.forces, c.virials,
                                     c.pulls, c.twists});
                 });
}

template <class T>
void CommitteeEvaluator::run_beside(const PlanTables<T> &plan_tables, const Kernel<T> &kernel, const EdgeList &edges,
                                    const Configuration &configuration, double *values, const Request &request,
                                    int threads) {
  const Plan<T> &plan = plan_tables.view();
  const auto &table = table_in_single_.view();
  const auto &members = members_in_single_.view();
  scheduler_.run(edges, configuration, request, plan.species, kernel.lanes, threads,
                 kernel.beside_scratch_bytes(plan, table, members, edges.longest_row()),
                 [&](const Edges &view, const std::int32_t *order, std::int64_t blocks, void *scratch, const Collected &c) {
                   kernel.beside(plan, table, members, view, order, blocks, scratch,
                                 {request.members, request.energies, request.nearest, request.forces, c.virials, c.pulls,
                                  c.twists},
                                 values);
                 });
}

void CommitteeEvaluator::each(const EdgeList &edges, const Configuration &configuration, const Request &request,
                              bool single, int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (single)
    run_each(plan_in_single_, table_in_single_, members_in_single_, set.in_single, edges, configuration, request, threads);
  else
    run_each(plan_, table_, members_, set.in_double, edges, configuration, request, threads);
}

void CommitteeEvaluator::beside(const EdgeList &edges, const Configuration &configuration, double *values,
                                const Request &request, bool single, int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (single)
    run_beside(plan_in_single_, set.in_single, edges, configuration, values, request, threads);
  else
    run_beside(plan_, set.in_double, edges, configuration, values, request, threads);
}

}  // namespace adiabat::ace
