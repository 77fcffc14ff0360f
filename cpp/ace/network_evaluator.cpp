#include "ace/network_evaluator.hpp"

#include <cmath>
#include <cstddef>

#include "instruction_set.hpp"

namespace adiabat::ace {
namespace {

constexpr std::int32_t widest = 1 << 16;

void require_network(const NetworkSource &network, std::size_t functions) {
  require(network.width.size() >= 2, "a network has a hidden layer");
  std::size_t weights = 0, biases = 0;
  for (std::size_t l = 0; l < network.width.size(); ++l) {
    require(network.width[l] >= 1 && network.width[l] <= widest, "a layer has between 1 and 65536 numbers");
    if (l == 0) continue;
    const auto outputs = static_cast<std::size_t>(network.width[l]);
    weights += outputs * static_cast<std::size_t>(network.width[l - 1]);
    biases += outputs;
  }
  require(static_cast<std::size_t>(network.width.front()) == functions && network.linear.size() == functions,
          "a network begins with the invariants");
  require(network.weight.size() == weights && network.bias.size() == biases &&
              network.readout.size() == static_cast<std::size_t>(network.width.back()),
          "weights and biases are those of the layers");
  for (const auto *values : {&network.weight, &network.bias, &network.linear, &network.readout}) require_finite(*values);
  require(std::isfinite(network.shift), "the energy of an isolated atom is finite");
}

void require_sound(const PlanSource &plan, const InvariantSource &invariants, const std::vector<NetworkSource> &networks) {
  require_sound(plan, invariants);
  require(networks.size() == plan.programs.size(), "every species has a network");
  for (const auto &network : networks) require_network(network, invariants.invariants.start.size() - 1);
}

template <class T>
std::vector<T> as(const std::vector<double> &values) {
  return std::vector<T>(values.begin(), values.end());
}

}  // namespace

template <class T>
NetworkEvaluator::NetworkTables<T>::NetworkTables(const std::vector<NetworkSource> &source) {
  for (const auto &s : source)
    own_.push_back({s.width, as<T>(s.weight), as<T>(s.bias), as<T>(s.linear), as<T>(s.readout)});
  for (std::size_t k = 0; k < own_.size(); ++k) {
    const Own &own = own_[k];
    views_.push_back({static_cast<std::int32_t>(own.width.size()) - 1, own.width.data(), own.weight.data(),
                      own.bias.data(), own.linear.data(), own.readout.data(), source[k].shift});
  }
}

NetworkEvaluator::NetworkEvaluator(const PlanSource &plan, const InvariantSource &invariants,
                                   const std::vector<NetworkSource> &networks)
    : plan_((require_sound(plan, invariants, networks), plan)), plan_in_single_(plan),
      table_(invariants, plan_.view().species * plan_.view().density),
      table_in_single_(invariants, plan_.view().species * plan_.view().density), networks_(networks),
      networks_in_single_(networks) {}

template <class T>
void NetworkEvaluator::run(const PlanTables<T> &plan_tables, const InvariantTables<T> &tables,
                           const NetworkTables<T> &networks, const Kernel<T> &kernel, const EdgeList &edges,
                           const Configuration &configuration, const Request &request, int threads) {
  const Plan<T> &plan = plan_tables.view();
  scheduler_.run(edges, configuration, request, plan.species, kernel.lanes, threads,
                 kernel.network_scratch_bytes(plan, tables.view(), networks.view(), edges.longest_row()),
                 [&](const Edges &view, const std::int32_t *order, std::int64_t blocks, void *scratch, const Collected &c) {
                   kernel.network(plan, tables.view(), networks.view(), view, order, blocks, scratch,
                                  {1, request.energies, request.nearest, request.forces, c.virials, c.pulls, c.twists});
                 });
}

void NetworkEvaluator::evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request,
                                bool single, int threads, const std::string &name) {
  const InstructionSet &set = instruction_set(name);
  if (single)
    run(plan_in_single_, table_in_single_, networks_in_single_, set.in_single, edges, configuration, request, threads);
  else
    run(plan_, table_, networks_, set.in_double, edges, configuration, request, threads);
}

}  // namespace adiabat::ace
