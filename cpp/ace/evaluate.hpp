#pragma once
#include <cstdint>
#include <string>

#include "ace/plan.hpp"
#include "ace/scheduler.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// A plan in both floating-point types.
class Evaluator {
 public:
  explicit Evaluator(const PlanSource &source);

  std::int32_t species() const { return in_double_.view().species; }

  // Evaluates on at most `threads` threads; the result does not depend on their number.
  // Throws std::invalid_argument: a position that is not finite, a species out of range, an unknown instruction set.
  void evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single,
                int threads, const std::string &instruction_set);

 private:
  template <class T>
  void run(const PlanTables<T> &plan, const Kernel<T> &kernel, const EdgeList &edges,
           const Configuration &configuration, const Request &request, int threads);

  PlanTables<double> in_double_;
  PlanTables<float> in_single_;
  Scheduler scheduler_;
};

}  // namespace adiabat::ace
