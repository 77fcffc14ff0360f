#include "ace/row_builder.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>

#include "instruction_set.hpp"

namespace adiabat::ace {
namespace {

void require_starts(const std::vector<std::int64_t> &start, std::size_t rows, std::size_t entries) {
  require(start.size() == rows + 1 && start.front() == 0, "rows start at 0, and there is one start more than rows");
  require(start.back() >= 0 && static_cast<std::size_t>(start.back()) == entries, "rows end with the last entry");
  for (std::size_t i = 0; i < rows; ++i) require(start[i] <= start[i + 1], "rows do not overlap");
}

// Components as rows over the density of one species, by species of neighbour.
SparseSource by_species(const SparseSource &components, std::int32_t species, std::int32_t density) {
  SparseSource found;
  found.start.push_back(0);
  for (std::int32_t z = 0; z < species; ++z)
    for (std::size_t u = 0; u + 1 < components.start.size(); ++u) {
      for (auto e = static_cast<std::size_t>(components.start[u]); e < static_cast<std::size_t>(components.start[u + 1]); ++e)
        if (components.index[e] / density == z) {
          found.index.push_back(components.index[e] % density);
          found.weight.push_back(components.weight[e]);
        }
      found.start.push_back(static_cast<std::int32_t>(found.index.size()));
    }
  return found;
}

}  // namespace

RowBuilder::RowBuilder(const PlanSource &plan, const FunctionSource &functions)
    : plan_((require_sound(plan), plan)), source_(functions) {
  const Plan<double> &view = plan_.view();
  const std::size_t count = source_.factors.size(), pairs = source_.pair_component.size();
  require(!source_.components.start.empty(), "components have a table");
  const std::size_t components = source_.components.start.size() - 1;
  require_rows(source_.components, components, static_cast<std::int64_t>(view.species) * view.density);
  require_starts(source_.pair_start, count, pairs);
  require_starts(source_.term_start, pairs, source_.term_weight.size());
  for (const auto u : source_.pair_component)
    require(u >= 0 && static_cast<std::size_t>(u) < components, "a component lies in its table");
  for (const auto u : source_.term_factor)
    require(u >= 0 && static_cast<std::size_t>(u) <= components, "a component lies in its table");
  std::int32_t most = 1;
  for (const auto factors : source_.factors) {
    require(factors >= 1, "a function has a factor");
    most = std::max(most, factors);
    inverse_factors_.push_back(1.0 / factors);
  }
  require(source_.term_factor.size() == source_.term_weight.size() * static_cast<std::size_t>(most - 1),
          "a term has one factor less than the largest function");
  for (std::int32_t s = 0; s < view.segments; ++s)
    for (std::int32_t k = 0; k < view.segment[s].radial; ++k)
      for (std::int32_t lm = view.segment[s].begin; lm < view.segment[s].end; ++lm) {
        radial_.push_back(k);
        harmonic_.push_back(lm);
      }
  by_species_ = by_species(source_.components, view.species, view.density);
  table_ = {static_cast<std::int32_t>(count),
            static_cast<std::int32_t>(components),
            most - 1,
            static_cast<std::int64_t>(pairs),
            radial_.data(),
            harmonic_.data(),
            {by_species_.start.data(), by_species_.index.data(), by_species_.weight.data()},
            source_.pair_start.data(),
            source_.pair_component.data(),
            source_.term_start.data(),
            source_.term_weight.data(),
            source_.term_factor.data(),
            inverse_factors_.data()};
}

void RowBuilder::rows(const EdgeList &edges, const Configuration &configuration, const RowOutput &output,
                      const std::string &name) const {
  require_usable(edges, configuration, species());
  const InstructionSet &set = instruction_set(name);
  constexpr std::size_t alignment = 128;
  const std::size_t scratch = (set.row_scratch_bytes(plan_.view(), table_, edges.longest_row()) + alignment - 1) / alignment * alignment;
  const std::unique_ptr<char[]> memory(new char[alignment + scratch + Frame::bytes(edges, species(), 1)]);
  const auto address = reinterpret_cast<std::size_t>(memory.get());
  char *base = memory.get() + (alignment - address % alignment) % alignment;
  const std::int64_t columns = static_cast<std::int64_t>(species()) * functions();
  std::fill(output.forces, output.forces + 3 * edges.atoms() * columns, 0.0);
  std::fill(output.virial, output.virial + 6 * columns, 0.0);
  Frame frame(edges, configuration, species(), 1, base + scratch);
  for (std::size_t window = 0; window < edges.windows().size(); ++window) {
    frame.show(window);
    set.add_rows(plan_.view(), table_, frame.edges(), base, output);
  }
}

}  // namespace adiabat::ace
