#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ace/invariant_tables.hpp"
#include "ace/plan.hpp"
#include "ace/scheduler.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// The network of one species, as `Network`.
struct NetworkSource {
  std::vector<std::int32_t> width;
  std::vector<double> weight, bias, linear, readout;
  double shift;
};

// Energies that are networks of the invariants, in both floating-point types.
class NetworkEvaluator {
 public:
  // One network for each species. Throws std::invalid_argument where an index leaves its table, or a network does not fit.
  NetworkEvaluator(const PlanSource &plan, const InvariantSource &invariants, const std::vector<NetworkSource> &networks);

  // With the plan's repulsion; its own energies and shifts have no part in it. Throws as Evaluator::evaluate.
  void evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single,
                int threads, const std::string &instruction_set);

 private:
  template <class T>
  class NetworkTables {
   public:
    explicit NetworkTables(const std::vector<NetworkSource> &source);
    NetworkTables(const NetworkTables &) = delete;
    NetworkTables &operator=(const NetworkTables &) = delete;
    const Network<T> *view() const { return views_.data(); }

   private:
    struct Own {
      std::vector<std::int32_t> width;
      std::vector<T> weight, bias, linear, readout;
    };
    std::vector<Own> own_;
    std::vector<Network<T>> views_;
  };
  template <class T>
  void run(const PlanTables<T> &plan, const InvariantTables<T> &tables, const NetworkTables<T> &networks,
           const Kernel<T> &kernel, const EdgeList &edges, const Configuration &configuration, const Request &request,
           int threads);

  PlanTables<double> plan_;
  PlanTables<float> plan_in_single_;
  InvariantTables<double> table_;
  InvariantTables<float> table_in_single_;
  NetworkTables<double> networks_;
  NetworkTables<float> networks_in_single_;
  Scheduler scheduler_;
};

}  // namespace adiabat::ace
