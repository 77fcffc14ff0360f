#include "ace/invariant_tables.hpp"

#include <algorithm>
#include <cstddef>

namespace adiabat::ace {
namespace {

void require_products(const ProductSource &rows) {
  require(!rows.start.empty(), "products have a table");
  require_starts(rows.start, rows.start.size() - 1, rows.first.size());
  require(rows.second.size() == rows.first.size() && rows.weight.size() == rows.first.size(),
          "every product has two factors and a weight");
  require_finite(rows.weight);
}

// What row k is made of stands before end + k · step.
void require_before(const ProductSource &rows, std::size_t end, std::size_t step) {
  for (std::size_t k = 0; k + 1 < rows.start.size(); ++k)
    for (auto e = static_cast<std::size_t>(rows.start[k]); e < static_cast<std::size_t>(rows.start[k + 1]); ++e) {
      require_place(rows.first[e], end + step * k);
      require_place(rows.second[e], end + step * k);
    }
}

std::int32_t most_local(const InvariantSource &source) {
  std::int32_t most = 0;
  for (std::size_t s = 0; s + 1 < source.stage_local.size(); ++s)
    most = std::max(most, source.stage_local[s + 1] - source.stage_local[s]);
  return most;
}

// `values`: the components, the 1 and the sums.
void require_stages(const InvariantSource &source, std::size_t values) {
  const std::size_t components = source.components.start.size() - 1, pairs = source.pair_function.size();
  require(!source.stage_local.empty(), "stages have a table");
  const std::size_t stages = source.stage_local.size() - 1;
  require_starts(source.stage_local, stages, source.local.start.size() - 1);
  require_starts(source.stage_component, stages, components);
  require(source.component.size() == components, "every component stands in a stage");
  std::vector<bool> seen(components, false);
  for (const auto u : source.component) {
    require_place(u, components);
    require(!seen[static_cast<std::size_t>(u)], "no component stands in two stages");
    seen[static_cast<std::size_t>(u)] = true;
  }
  require_starts(source.pair_start, components, pairs);
  require(source.pair_place.size() == pairs && source.pair_weight.size() == pairs,
          "every derivative has a function, a value and a weight");
  for (std::size_t s = 0; s < stages; ++s) {
    const auto local = static_cast<std::size_t>(source.stage_local[s + 1] - source.stage_local[s]);
    const auto first = static_cast<std::size_t>(source.stage_component[s]), last = static_cast<std::size_t>(source.stage_component[s + 1]);
    for (auto p = static_cast<std::size_t>(source.pair_start[first]); p < static_cast<std::size_t>(source.pair_start[last]); ++p)
      require_place(source.pair_place[p], values + local);
  }
  require_finite(source.pair_weight);
}

}  // namespace

void require_sound(const PlanSource &plan, const InvariantSource &source) {
  require_sound(plan);
  require_products(source.sums);
  require_products(source.invariants);
  const std::size_t sums = source.sums.start.size() - 1;
  require_components(source.components, sums + 1 + source.local.start.size(), static_cast<std::int64_t>(plan.programs.size()) * density_count(plan));
  const std::size_t components = source.components.start.size() - 1;
  require(source.value_sums >= 0 && static_cast<std::size_t>(source.value_sums) <= sums,
          "the sums that the invariants need are among the sums");
  require_before(source.sums, components + 1, 1);
  require_before(source.invariants, components + 1 + static_cast<std::size_t>(source.value_sums), 0);
  require_products(source.local);
  require_before(source.local, components + 1 + sums, 0);
  require_stages(source, components + 1 + sums);
  require_places(source.pair_function, source.invariants.start.size() - 1);
}

template <class T>
InvariantTables<T>::ProductTables::ProductTables(const ProductSource &source)
    : start(source.start), first(places(source.first)), second(places(source.second)),
      weight(source.weight.begin(), source.weight.end()) {}

template <class T>
InvariantTables<T>::InvariantTables(const InvariantSource &source, std::int32_t density)
    : of_density_(tables<T>(source.components)), of_component_(tables<T>(transposed(source.components, density))),
      sums_(source.sums), invariants_(source.invariants), local_(source.local), stage_local_(source.stage_local),
      stage_component_(source.stage_component), component_(source.component), pair_start_(source.pair_start),
      pair_function_(source.pair_function), pair_place_(places(source.pair_place)),
      pair_weight_(source.pair_weight.begin(), source.pair_weight.end()) {
  view_ = {static_cast<std::int32_t>(source.invariants.start.size()) - 1,
           static_cast<std::int32_t>(source.components.start.size()) - 1,
           static_cast<std::int32_t>(source.sums.start.size()) - 1,
           source.value_sums,
           most_local(source),
           static_cast<std::int32_t>(source.stage_local.size()) - 1,
           of_density_.view(),
           of_component_.view(),
           sums_.view(),
           invariants_.view(),
           local_.view(),
           stage_local_.data(),
           stage_component_.data(),
           component_.data(),
           pair_start_.data(),
           pair_function_.data(),
           pair_place_.data(),
           pair_weight_.data()};
}

template class InvariantTables<double>;
template class InvariantTables<float>;

}  // namespace adiabat::ace
