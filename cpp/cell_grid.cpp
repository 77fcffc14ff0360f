#include "cell_grid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace adiabat {
namespace {

// A cutoff spans so many cells: fewer cells hold more atoms that are too far, more cells cost time each.
constexpr double cells_of_cutoff = 2.0;
constexpr std::int32_t most_images = 1 << 20;

void cross(const double *a, const double *b, double *to) {
  to[0] = a[1] * b[2] - a[2] * b[1];
  to[1] = a[2] * b[0] - a[0] * b[2];
  to[2] = a[0] * b[1] - a[1] * b[0];
}

double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

}  // namespace

CellGrid::CellGrid(std::int64_t atoms, const double *positions, const double *box, const std::uint8_t *periodic,
                   double cutoff) {
  std::copy(box, box + 9, box_);
  double volume = 0;
  for (int d = 0; d < 3; ++d) {
    double *row = inverse_ + 3 * d;  // the d-th column of the inverse: fraction d = position · row
    cross(box_ + 3 * ((d + 1) % 3), box_ + 3 * ((d + 2) % 3), row);
    volume = dot(box_ + 3 * d, row);
    for (int a = 0; a < 3; ++a) row[a] /= volume;
    height_[d] = 1 / std::sqrt(dot(row, row));
    periodic_[d] = periodic[d] != 0;
    if (!std::isfinite(height_[d]) || height_[d] * most_images < 4 * cutoff)
      throw std::invalid_argument("a cell is too thin for the cutoff");
  }
  wrap(atoms, positions);
  choose_cells(cutoff);
  sort_into_cells();
}

void CellGrid::wrap(std::int64_t atoms, const double *positions) {
  const auto count = static_cast<std::size_t>(atoms);
  wrapped_.assign(positions, positions + 3 * count);
  wraps_.assign(3 * count, 0);
  cell_.assign(3 * count, 0);
  for (int d = 0; d < 3; ++d) {
    low_[d] = periodic_[d] ? 0.0 : std::numeric_limits<double>::infinity();
    extent_[d] = periodic_[d] ? 1.0 : 0.0;
    double high = -std::numeric_limits<double>::infinity();
    for (std::size_t a = 0; a < count; ++a) {
      const double fraction = dot(positions + 3 * a, inverse_ + 3 * d);
      if (!periodic_[d]) {
        low_[d] = std::min(low_[d], fraction);
        high = std::max(high, fraction);
        continue;
      }
      const double times = std::floor(fraction);
      if (times == 0) continue;
      if (std::abs(times) > std::numeric_limits<std::int32_t>::max() / 4)
        throw std::invalid_argument("a cell is too thin for where its atoms are");
      wraps_[3 * a + static_cast<std::size_t>(d)] = static_cast<std::int32_t>(times);
      for (std::size_t b = 0; b < 3; ++b) wrapped_[3 * a + b] -= times * box_[3 * static_cast<std::size_t>(d) + b];
    }
    if (!periodic_[d] && count) extent_[d] = high - low_[d];
  }
}

void CellGrid::choose_cells(double cutoff) {
  double edge[3];
  for (int d = 0; d < 3; ++d) edge[d] = cutoff / cells_of_cutoff;
  const double most = 2 * static_cast<double>(atoms()) + 64;
  const auto fill = [&] {
    double product = 1;
    for (int d = 0; d < 3; ++d) product *= std::max(1.0, extent_[d] * height_[d] / edge[d]);
    return product / most;
  };
  while (fill() > 1)
    for (double &length : edge) length *= 1.3;
  for (int d = 0; d < 3; ++d) {
    const double span = extent_[d] * height_[d];
    cells_[d] = std::max(1, static_cast<std::int32_t>(span / edge[d]));
    const double width = span / cells_[d];
    // Rounding puts an atom into a cell beside its own where it stands at their border.
    const double needed = width > 0 ? std::ceil(cutoff * (1 + 1e-9) / width) : 0.0;
    reach_[d] = periodic_[d] ? static_cast<std::int32_t>(needed)
                             : static_cast<std::int32_t>(std::min(needed, static_cast<double>(cells_[d] - 1)));
  }
}

double CellGrid::along(std::uint32_t atom, int direction) const {
  return dot(wrapped(atom), inverse_ + 3 * direction) * height_[direction];
}

void CellGrid::sort_into_cells() {
  const auto total = static_cast<std::size_t>(cells_[0]) * static_cast<std::size_t>(cells_[1]) * static_cast<std::size_t>(cells_[2]);
  const auto count = static_cast<std::uint32_t>(atoms());
  start_.assign(total + 1, 0);
  for (std::uint32_t a = 0; a < count; ++a) {
    std::int32_t *at = cell_.data() + 3 * static_cast<std::size_t>(a);
    for (int d = 0; d < 3; ++d) {
      const double fraction = dot(wrapped(a), inverse_ + 3 * d) - low_[d];
      const double place = extent_[d] > 0 ? fraction / extent_[d] * cells_[d] : 0.0;
      at[d] = std::clamp(static_cast<std::int32_t>(place), 0, cells_[d] - 1);
    }
    ++start_[number(at[0], at[1], at[2]) + 1];
  }
  std::partial_sum(start_.begin(), start_.end(), start_.begin());
  members_.resize(count);
  std::vector<std::uint32_t> next(start_.begin(), start_.end() - 1);
  for (std::uint32_t a = 0; a < count; ++a) members_[next[number(cell(a)[0], cell(a)[1], cell(a)[2])]++] = a;
}

}  // namespace adiabat
