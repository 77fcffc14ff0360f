#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ace/invariant_tables.hpp"
#include "ace/plan.hpp"
#include "ace/scheduler.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// Of each member of a committee what is its own, by species.
struct MemberSource {
  std::int32_t members;
  std::vector<std::vector<double>> coefficients;  // (functions, members) eV, for each species
};

// Several energies of the same invariants in both floating-point types.
class CommitteeEvaluator {
 public:
  // Throws std::invalid_argument where an index leaves its table, or the coefficients are others than these.
  CommitteeEvaluator(const PlanSource &plan, const InvariantSource &invariants, const MemberSource &members);

  std::int32_t members() const { return members_.view().count; }

  // All members, each with the plan's repulsion and shifts; the plan's own energy has no part in it.
  // Throws as Evaluator::evaluate.
  void each(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single, int threads,
            const std::string &instruction_set);

  // The plan's own energy, and beside it (atoms, members) the sums of coefficients and invariants alone, in
  // single precision whatever the plan's energy is in.
  // Throws as Evaluator::evaluate.
  void beside(const EdgeList &edges, const Configuration &configuration, double *values, const Request &request,
              bool single, int threads, const std::string &instruction_set);

 private:
  template <class T>
  class MemberTables {
   public:
    MemberTables(const PlanSource &plan, const MemberSource &source);
    MemberTables(const MemberTables &) = delete;
    MemberTables &operator=(const MemberTables &) = delete;
    const Members<T> &view() const { return view_; }

   private:
    std::vector<std::vector<T>> coefficients_;
    std::vector<const T *> starts_;
    std::vector<double> shifts_;
    Members<T> view_{};
  };
  template <class T>
  void run_each(const PlanTables<T> &plan, const InvariantTables<T> &tables, const MemberTables<T> &members,
                const Kernel<T> &kernel, const EdgeList &edges, const Configuration &configuration,
                const Request &request, int threads);
  template <class T>
  void run_beside(const PlanTables<T> &plan, const Kernel<T> &kernel, const EdgeList &edges,
                  const Configuration &configuration, double *values, const Request &request, int threads);

  PlanTables<double> plan_;
  PlanTables<float> plan_in_single_;
  InvariantTables<double> table_;
  InvariantTables<float> table_in_single_;
  MemberTables<double> members_;
  MemberTables<float> members_in_single_;
  Scheduler scheduler_;
};

}  // namespace adiabat::ace
