#include "ace/plan.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

namespace adiabat::ace {
namespace {

constexpr double pi = 3.14159265358979323846;

std::int32_t radial_count(const PlanSource &source) {
  std::int32_t most = 0;
  for (const auto &segment : source.segments) most = segment.radial > most ? segment.radial : most;
  return most;
}

void require_program(const ProgramSource &program, std::int64_t density) {
  const std::size_t nodes = program.left.size(), rows = program.first.size(), blocks = rows / block_rows;
  require_components(program.components, nodes, density);
  const auto components = program.components.start.size() - 1, values = components + nodes;
  require_nodes(program.left, program.right, components);
  require(rows % block_rows == 0 && program.second.size() == rows && program.linear.size() == rows,
          "rows stand in blocks, each with two factors and a coefficient");
  require(program.single_blocks >= 0 && static_cast<std::size_t>(program.single_blocks) <= blocks,
          "single blocks are among the blocks");
  require_places(program.first, values);
  require_places(program.second, values);
  require_starts(program.column_start, blocks, program.column.size());
  require(program.weight.size() == program.column.size() * block_rows,
          "a column has a weight for each row of its block");
  require_places(program.column, values);
  require_finite(program.linear);
  require_finite(program.weight);
  require_finite({program.shift});
}

template <class T>
Pair<T> narrowed(const Pair<double> &p) {
  return {T(p.inner_radius), T(p.inner_inverse_width), T(p.repulsion_outer), T(p.repulsion_inner), T(p.charge),
          T(p.inverse_length), T(p.cubic),             T(p.quartic),         T(p.constant)};
}

}  // namespace

void require(bool holds, const char *rule) {
  if (!holds) throw std::invalid_argument(rule);
}

void require_finite(const std::vector<double> &values) {
  for (const auto value : values) require(std::isfinite(value), "coefficients are finite");
}

void require_place(std::int32_t place, std::size_t end) {
  require(place >= 0 && static_cast<std::size_t>(place) < end, "a factor stands before what it makes");
}

void require_starts(const std::vector<std::int32_t> &start, std::size_t rows, std::size_t entries) {
  require(start.size() == rows + 1 && start.front() == 0, "rows start at 0, and there is one start more than rows");
  require(start.back() >= 0 && static_cast<std::size_t>(start.back()) == entries, "rows end with the last entry");
  for (std::size_t i = 0; i < rows; ++i) require(start[i] <= start[i + 1], "rows do not overlap");
}

std::int32_t density_count(const PlanSource &source) {
  std::int32_t count = 0;
  for (const auto &segment : source.segments) count += segment.radial * (segment.end - segment.begin);
  return count;
}

SparseSource transposed(const SparseSource &source, std::int32_t columns) {
  SparseSource found;
  found.start.assign(static_cast<std::size_t>(columns) + 1, 0);
  for (const auto index : source.index) ++found.start[static_cast<std::size_t>(index) + 1];
  for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) found.start[c + 1] += found.start[c];
  found.index.resize(source.index.size());
  found.weight.resize(source.index.size());
  std::vector<std::int32_t> next(found.start.begin(), found.start.end() - 1);
  for (std::size_t row = 0; row + 1 < source.start.size(); ++row)
    for (std::int32_t e = source.start[row]; e < source.start[row + 1]; ++e) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(source.index[static_cast<std::size_t>(e)])]++);
      found.index[at] = static_cast<std::int32_t>(row);
      found.weight[at] = source.weight[static_cast<std::size_t>(e)];
    }
  return found;
}

std::vector<std::uint32_t> places(const std::vector<std::int32_t> &source) {
  std::vector<std::uint32_t> found;
  for (const auto place : source) found.push_back(static_cast<std::uint32_t>(place) * place_unit);
  return found;
}

void require_rows(const SparseSource &rows, std::size_t count, std::int64_t columns) {
  require_starts(rows.start, count, rows.index.size());
  require(rows.index.size() == rows.weight.size(), "sparse rows have as many weights as indices");
  for (const auto index : rows.index) require(index >= 0 && index < columns, "a sparse index lies in its table");
  require_finite(rows.weight);
}

void require_components(const SparseSource &components, std::size_t nodes, std::int64_t density) {
  require(!components.start.empty(), "components have a table");
  require(components.start.size() + nodes < std::numeric_limits<std::uint32_t>::max() / place_unit,
          "products are fewer than 2^28");
  require_rows(components, components.start.size() - 1, density);
}

void require_nodes(const std::vector<std::int32_t> &left, const std::vector<std::int32_t> &right, std::size_t components) {
  require(right.size() == left.size(), "every node has two factors");
  for (std::size_t k = 0; k < left.size(); ++k) {
    require_place(left[k], components + k);
    require_place(right[k], components + k);
  }
}

void require_places(const std::vector<std::int32_t> &places, std::size_t end) {
  for (const auto place : places) require_place(place, end);
}

void require_sound(const PlanSource &source) {
  const std::size_t species = source.programs.size();
  require(species >= 1, "a plan has a species");
  require(source.pairs.size() == species * species, "a plan has a pair for each two species");
  require(std::isfinite(source.cutoff) && source.cutoff > 0, "the cutoff is positive");
  require(std::isfinite(source.reach) && source.reach > 0, "the reach is positive");
  require(source.l_max >= 0 && source.l_max <= 64, "l_max lies between 0 and 64");
  const std::int32_t harmonics = (source.l_max + 1) * (source.l_max + 1);
  std::int32_t next = 0, offset = 0;
  for (const auto &segment : source.segments) {
    require(segment.begin == next && segment.end > segment.begin && segment.end <= harmonics,
            "segments cover the harmonics one after the other");
    require(segment.radial >= 0 && segment.radial <= 1024, "a segment has at most 1024 radial functions");
    require(segment.offset == offset, "segments stand one after the other");
    next = segment.end;
    offset += segment.radial * (segment.end - segment.begin);
  }
  require(next == harmonics, "segments cover all harmonics");
  for (const auto &program : source.programs)
    require_program(program, static_cast<std::int64_t>(species) * density_count(source));
}

template <class T>
PlanTables<T>::ProgramTables::ProgramTables(const ProgramSource &source, std::int32_t density)
    : of_density(tables<T>(source.components)), of_component(tables<T>(transposed(source.components, density))),
      left(places(source.left)), right(places(source.right)), first(places(source.first)), second(places(source.second)),
      column(places(source.column)), column_start(source.column_start),
      linear(source.linear.begin(), source.linear.end()), weight(source.weight.begin(), source.weight.end()),
      single_blocks(source.single_blocks), shift(source.shift) {}

template <class T>
Program<T> PlanTables<T>::ProgramTables::view() const {
  Program<T> found{};
  found.components = static_cast<std::int32_t>(of_density.start.size()) - 1;
  found.nodes = static_cast<std::int32_t>(left.size());
  found.blocks = static_cast<std::int32_t>(column_start.size()) - 1;
  found.single_blocks = single_blocks;
  found.component_of_density = of_density.view();
  found.density_of_component = of_component.view();
  found.left = left.data();
  found.right = right.data();
  found.first = first.data();
  found.second = second.data();
  found.linear = linear.data();
  found.column_start = column_start.data();
  found.column = column.data();
  found.weight = weight.data();
  found.shift = shift;
  return found;
}

template <class T>
PlanTables<T>::PlanTables(const PlanSource &source) : segments_(source.segments) {
  const auto density = density_count(source);
  const auto species = static_cast<std::int32_t>(source.programs.size());
  make_radial(radial_count(source), source.cutoff);
  make_harmonics(source.l_max);
  for (const auto &pair : source.pairs) pairs_.push_back(narrowed<T>(pair));
  for (const auto &program : source.programs) tables_.emplace_back(program, species * density);
  for (const auto &tables : tables_) programs_.push_back(tables.view());
  view_.species = species;
  view_.segments = static_cast<std::int32_t>(segments_.size());
  view_.density = density;
  view_.reach = source.reach;
  view_.segment = segments_.data();
  view_.pair = pairs_.data();
  view_.program = programs_.data();
}

// The recurrence of adiabat.basis.radial.simplified_bessel, for u = r g.
template <class T>
void PlanTables<T>::make_radial(std::int32_t count, double cutoff) {
  double before = 1.0;
  for (std::int32_t k = 0; k < count; ++k) {
    const double n = k;
    const double sign = k % 2 == 0 ? 1.0 : -1.0;
    const double scale = sign * std::sqrt(2.0) * pi / std::pow(cutoff, 1.5) * (n + 1) * (n + 2) / std::hypot(n + 1, n + 2);
    const double e = n * n * (n + 2) * (n + 2) / (4 * std::pow(n + 1, 4) + 1);
    const double d = k == 0 ? 1.0 : 1 - e / before;
    const double slope = scale / std::sqrt(d);
    radial_slope_.push_back(T(slope));
    alpha_.push_back(T(slope * cutoff / (pi * (n + 1))));
    beta_.push_back(T(slope * cutoff / (pi * (n + 2))));
    carry_.push_back(T(std::sqrt(e / before) / std::sqrt(d)));
    before = d;
  }
  view_.radial = {count, T(cutoff), alpha_.data(), beta_.data(), carry_.data(), radial_slope_.data()};
}

// The recurrence of adiabat.basis.angular, with √2 of m > 0 in the tables.
template <class T>
void PlanTables<T>::make_harmonics(std::int32_t l_max) {
  double diagonal = 1 / (4 * pi);
  for (std::int32_t m = 0; m <= l_max; ++m) {
    if (m > 0) diagonal *= (2.0 * m - 1) / (2.0 * m);
    diagonal_.push_back(T(std::sqrt((2 * m + 1) * diagonal * (m > 0 ? 2 : 1))));
  }
  for (std::int32_t l = 0; l <= l_max; ++l)
    for (std::int32_t m = 0; m <= l; ++m) {
      const double l2 = double(l) * l, m2 = double(m) * m, below = double(l - 1) * (l - 1);
      const double a = l > m ? std::sqrt((4 * l2 - 1) / (l2 - m2)) : 0.0;
      const double b = l > m + 1 ? std::sqrt((below - m2) / (4 * below - 1)) : 0.0;
      rise_.push_back(T(a));
      fall_.push_back(T(a * b));
      harmonic_slope_.push_back(T(std::sqrt(double(l + m + 1) * (l - m) * (m == 0 ? 0.5 : 1.0))));
    }
  view_.harmonics = {l_max, diagonal_.data(), rise_.data(), fall_.data(), harmonic_slope_.data()};
}

template class PlanTables<double>;
template class PlanTables<float>;

}  // namespace adiabat::ace
