#include "neighbor_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "cell_grid.hpp"
#include "thread_pool.hpp"

namespace adiabat {
namespace {

// Cells, or atoms in them, that a window can see: beyond it, something is wrong with the structure, and memory at risk.
constexpr std::size_t most_surroundings = std::size_t{1} << 24;

// Atoms of one structure that stand near each other, by their numbers within it.
struct Group {
  std::int64_t system;
  const CellGrid *grid;
  std::vector<std::uint32_t> atoms;
};

// Halves a structure where it is longest, and the halves again, until no part is larger than a window.
class Bisection {
 public:
  Bisection(std::int64_t system, const CellGrid &grid, std::int64_t size, std::vector<Group> &groups)
      : system_(system), grid_(grid), size_(size), groups_(groups), atoms_(static_cast<std::size_t>(grid.atoms())) {
    std::iota(atoms_.begin(), atoms_.end(), 0u);
    divide(0, grid.atoms());
  }

 private:
  void divide(std::int64_t first, std::int64_t last) {
    const std::int64_t parts = (last - first + size_ - 1) / size_;
    const auto begin = atoms_.begin() + first, end = atoms_.begin() + last;
    if (parts <= 1) {
      std::sort(begin, end);
      groups_.push_back({system_, &grid_, std::vector<std::uint32_t>(begin, end)});
      return;
    }
    const int direction = longest(first, last);
    const std::int64_t middle = first + parts / 2 * size_;
    std::nth_element(begin, atoms_.begin() + middle, end, [&](std::uint32_t a, std::uint32_t b) {
      const double at_a = grid_.along(a, direction), at_b = grid_.along(b, direction);
      return at_a != at_b ? at_a < at_b : a < b;
    });
    divide(first, middle);
    divide(middle, last);
  }

  int longest(std::int64_t first, std::int64_t last) const {
    double length[3];
    for (int d = 0; d < 3; ++d) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (std::int64_t k = first; k < last; ++k) {
        const double at = grid_.along(atoms_[static_cast<std::size_t>(k)], d);
        low = std::min(low, at);
        high = std::max(high, at);
      }
      length[d] = high - low;
    }
    return static_cast<int>(std::max_element(length, length + 3) - length);
  }

  std::int64_t system_;
  const CellGrid &grid_;
  std::int64_t size_;
  std::vector<Group> &groups_;
  std::vector<std::uint32_t> atoms_;
};

// The cells that a group's atoms can see, unwrapped, and the atoms in them.
class Surroundings {
 public:
  explicit Surroundings(const Group &group);

  std::size_t size() const { return atom_.size(); }
  std::uint32_t atom(std::size_t k) const { return atom_[k]; }
  const std::int32_t *shift(std::size_t k) const { return &shift_[3 * k]; }
  // Finds those nearer than the cutoff to an atom, itself excepted: how many, their numbers and squared distances, for which
  // there is room for all.
  std::size_t near(std::uint32_t atom, double cutoff_squared, std::uint32_t *found, double *squared) const;

 private:
  std::size_t number(std::int32_t x, std::int32_t y, std::int32_t z) const {
    return (static_cast<std::size_t>(x - low_[0]) * static_cast<std::size_t>(cells_[1]) + static_cast<std::size_t>(y - low_[1])) *
               static_cast<std::size_t>(cells_[2]) +
           static_cast<std::size_t>(z - low_[2]);
  }
  void add_cell(const std::int32_t *at);

  const CellGrid &grid_;
  std::int32_t low_[3], cells_[3];
  std::vector<std::uint32_t> start_, atom_;
  std::vector<std::int32_t> shift_;       // (size, 3)
  std::vector<double> x_, y_, z_;         // wrapped positions
  std::vector<double> tx_, ty_, tz_;      // translations
};

Surroundings::Surroundings(const Group &group) : grid_(*group.grid) {
  std::size_t total = 1;
  for (int d = 0; d < 3; ++d) {
    std::int32_t low = std::numeric_limits<std::int32_t>::max(), high = 0;
    for (const auto atom : group.atoms) {
      low = std::min(low, grid_.cell(atom)[d]);
      high = std::max(high, grid_.cell(atom)[d]);
    }
    low_[d] = low - grid_.reach(d);
    high += grid_.reach(d);
    if (!grid_.periodic(d)) {
      low_[d] = std::max(low_[d], 0);
      high = std::min(high, grid_.cells(d) - 1);
    }
    cells_[d] = high - low_[d] + 1;
    total *= static_cast<std::size_t>(cells_[d]);
    if (total > most_surroundings) throw std::invalid_argument("atoms have too many images within the cutoff");
  }
  start_.reserve(total + 1);
  std::int32_t at[3];
  for (at[0] = low_[0]; at[0] < low_[0] + cells_[0]; ++at[0])
    for (at[1] = low_[1]; at[1] < low_[1] + cells_[1]; ++at[1])
      for (at[2] = low_[2]; at[2] < low_[2] + cells_[2]; ++at[2]) add_cell(at);
  start_.push_back(static_cast<std::uint32_t>(atom_.size()));
}

void Surroundings::add_cell(const std::int32_t *at) {
  std::int32_t shift[3], cell[3];
  double translation[3] = {0, 0, 0};
  for (int d = 0; d < 3; ++d) {
    const std::int32_t cells = grid_.cells(d);
    shift[d] = at[d] >= 0 ? at[d] / cells : -((cells - 1 - at[d]) / cells);
    cell[d] = at[d] - shift[d] * cells;
    if (shift[d])
      for (int a = 0; a < 3; ++a) translation[a] += shift[d] * grid_.box()[3 * d + a];
  }
  start_.push_back(static_cast<std::uint32_t>(atom_.size()));
  if (atom_.size() > most_surroundings) throw std::invalid_argument("atoms have too many neighbours within the cutoff");
  for (auto k = grid_.cell_begin(cell[0], cell[1], cell[2]); k < grid_.cell_end(cell[0], cell[1], cell[2]); ++k) {
    const std::uint32_t atom = grid_.members()[k];
    atom_.push_back(atom);
    shift_.insert(shift_.end(), shift, shift + 3);
    const double *position = grid_.wrapped(atom);
    x_.push_back(position[0]);
    y_.push_back(position[1]);
    z_.push_back(position[2]);
    tx_.push_back(translation[0]);
    ty_.push_back(translation[1]);
    tz_.push_back(translation[2]);
  }
}

std::size_t Surroundings::near(std::uint32_t atom, double cutoff_squared, std::uint32_t *found, double *squared) const {
  const std::int32_t *cell = grid_.cell(atom);
  const double x = grid_.wrapped(atom)[0], y = grid_.wrapped(atom)[1], z = grid_.wrapped(atom)[2];
  std::int32_t from[3], to[3];
  for (int d = 0; d < 3; ++d) {
    from[d] = std::max(cell[d] - grid_.reach(d), low_[d]);
    to[d] = std::min(cell[d] + grid_.reach(d), low_[d] + cells_[d] - 1);
  }
  std::uint32_t self = start_[number(cell[0], cell[1], cell[2])];
  while (atom_[self] != atom) ++self;
  std::size_t count = 0;
  for (std::int32_t a = from[0]; a <= to[0]; ++a)
    for (std::int32_t b = from[1]; b <= to[1]; ++b)
      for (std::uint32_t k = start_[number(a, b, from[2])]; k < start_[number(a, b, to[2]) + 1]; ++k) {
        // The difference before the translation: the edge back is then exactly as long.
        const double dx = x_[k] - x + tx_[k], dy = y_[k] - y + ty_[k], dz = z_[k] - z + tz_[k];
        const double distance = dx * dx + dy * dy + dz * dz;
        found[count] = k;
        squared[count] = distance;
        count += (distance < cutoff_squared) & (k != self);
      }
  return count;
}

// Whether one edge comes before another: the shorter one, of two as short the first in the list.
bool sooner(const Shortest &a, const Shortest &b) {
  return std::tie(a.squared, a.center, a.neighbor, a.shift[0], a.shift[1], a.shift[2]) <
         std::tie(b.squared, b.center, b.neighbor, b.shift[0], b.shift[1], b.shift[2]);
}

// A particle before it has a number: sorted by atom, then shift.
struct Candidate {
  std::uint32_t atom, place;
  std::uint64_t shift;
  bool operator<(const Candidate &other) const { return atom != other.atom ? atom < other.atom : shift < other.shift; }
};

std::uint64_t packed(const std::int32_t *shift) {
  std::uint64_t all = 0;
  for (int d = 0; d < 3; ++d) all = all << 21 | static_cast<std::uint64_t>(shift[d] + (1 << 20));
  return all;
}

// The rows of the atoms of a window, by their surroundings' numbers at first, then by those of the particles.
class WindowSearch {
 public:
  WindowSearch(const Structures &structures, double cutoff) : structures_(structures), cutoff_(cutoff), images_(window_.images) {
    window_.start.push_back(0);
    shortest_.squared = std::numeric_limits<double>::infinity();
  }

  void add(const Group &group);
  Window take() {
    sort_sites(window_);
    window_.neighbor.shrink_to_fit();
    return std::move(window_);
  }
  const Shortest &shortest() const { return shortest_; }

 private:
  void note_shortest(const Group &group, std::uint32_t atom, const Surroundings &around, std::size_t count);
  // The numbers of those of the surroundings that are used.
  std::vector<std::uint32_t> number_particles(const Group &group, const Surroundings &around, const std::vector<char> &used);

  const Structures &structures_;
  double cutoff_;
  Window window_;
  ImageNumbers images_;
  Shortest shortest_;
  std::vector<std::uint32_t> found_, rows_, counts_;
  std::vector<double> squared_;
};

void WindowSearch::add(const Group &group) {
  const Surroundings around(group);
  std::vector<char> used(around.size(), 0);
  found_.resize(around.size());
  squared_.resize(around.size());
  rows_.clear();
  counts_.clear();
  for (const auto atom : group.atoms) {
    const std::size_t count = around.near(atom, cutoff_ * cutoff_, found_.data(), squared_.data());
    note_shortest(group, atom, around, count);
    for (std::size_t k = 0; k < count; ++k) used[found_[k]] = 1;
    rows_.insert(rows_.end(), found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count));
    counts_.push_back(static_cast<std::uint32_t>(count));
  }
  if (window_.neighbor.size() + rows_.size() >= std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument("edges of a window are fewer than 2^32");
  const auto first_particle = static_cast<std::uint32_t>(window_.particle.size());
  const std::vector<std::uint32_t> number = number_particles(group, around, used);
  // Sets of numbers as bits: in order without sorting.
  std::vector<std::uint64_t> bits((window_.particle.size() - first_particle + 63) / 64);
  const std::uint32_t *row = rows_.data();
  const auto first_atom = static_cast<std::uint32_t>(structures_.start[group.system]);
  for (std::size_t a = 0; a < group.atoms.size(); ++a) {
    for (const std::uint32_t *end = row + counts_[a]; row < end; ++row) bits[number[*row] / 64] |= std::uint64_t{1} << number[*row] % 64;
    for (std::size_t w = 0; w < bits.size(); ++w)
      for (; bits[w]; bits[w] &= bits[w] - 1)
        window_.neighbor.push_back(first_particle + static_cast<std::uint32_t>(64 * w) +
                                   static_cast<std::uint32_t>(__builtin_ctzll(bits[w])));
    window_.start.push_back(static_cast<std::uint32_t>(window_.neighbor.size()));
    const std::int32_t *wraps = group.grid->wraps(group.atoms[a]);
    window_.atom.push_back(first_atom + group.atoms[a]);
    window_.image.push_back(images_.number({static_cast<std::int32_t>(group.system), {-wraps[0], -wraps[1], -wraps[2]}}));
  }
}

void WindowSearch::note_shortest(const Group &group, std::uint32_t atom, const Surroundings &around,
                                 std::size_t count) {
  const std::int64_t center = structures_.start[group.system] + atom;
  for (std::size_t k = 0; k < count; ++k) {
    if (squared_[k] > shortest_.squared) continue;
    Shortest edge{squared_[k], center, structures_.start[group.system] + around.atom(found_[k]), {}};
    const std::int32_t *own = group.grid->wraps(atom), *other = group.grid->wraps(around.atom(found_[k]));
    for (int d = 0; d < 3; ++d) edge.shift[d] = around.shift(found_[k])[d] - other[d] + own[d];
    if (sooner(edge, shortest_)) shortest_ = edge;
  }
}

std::vector<std::uint32_t> WindowSearch::number_particles(const Group &group, const Surroundings &around,
                                                          const std::vector<char> &used) {
  std::vector<Candidate> candidates;
  for (std::size_t k = 0; k < around.size(); ++k)
    if (used[k]) candidates.push_back({around.atom(k), static_cast<std::uint32_t>(k), packed(around.shift(k))});
  std::sort(candidates.begin(), candidates.end());
  std::vector<std::uint32_t> number(around.size(), 0);
  const auto first_atom = static_cast<std::uint32_t>(structures_.start[group.system]);
  for (std::size_t n = 0; n < candidates.size(); ++n) {
    const Candidate &c = candidates[n];
    const std::int32_t *wraps = group.grid->wraps(c.atom), *shift = around.shift(c.place);
    number[c.place] = static_cast<std::uint32_t>(n);
    window_.particle.push_back(first_atom + c.atom);
    window_.particle_image.push_back(images_.number(
        {static_cast<std::int32_t>(group.system), {shift[0] - wraps[0], shift[1] - wraps[1], shift[2] - wraps[2]}}));
  }
  return number;
}

std::int64_t kinds(const std::int64_t *numbers, std::int64_t atoms) {
  bool seen[256] = {};
  for (std::int64_t a = 0; a < atoms; ++a) seen[numbers[a] & 255] = true;
  return std::count(seen, seen + 256, true);
}

void require_finite(const Structures &s) {
  for (std::int64_t k = 0; k < 3 * s.start[s.systems]; ++k)
    if (!std::isfinite(s.positions[k])) throw std::invalid_argument("positions must be finite");
  for (std::int64_t k = 0; k < 9 * s.systems; ++k)
    if (!std::isfinite(s.boxes[k])) throw std::invalid_argument("cells must be finite");
}

using Grids = std::vector<std::unique_ptr<CellGrid>>;

// The groups of each window: large structures in several windows, small ones together in one.
std::vector<std::vector<Group>> grouped(const Structures &s, const Grids &grids) {
  std::vector<std::vector<Group>> windows;
  std::int64_t room = 0;
  for (std::int64_t system = 0; system < s.systems; ++system) {
    const std::int64_t first = s.start[system], atoms = s.start[system + 1] - first;
    const std::int64_t size = window_size(atoms, kinds(s.numbers + first, atoms));
    std::vector<Group> groups;
    Bisection(system, *grids[static_cast<std::size_t>(system)], size, groups);
    for (Group &group : groups) {
      const auto count = static_cast<std::int64_t>(group.atoms.size());
      if (count > room) {
        windows.emplace_back();
        room = size;
      }
      room -= count;
      windows.back().push_back(std::move(group));
    }
  }
  return windows;
}

}  // namespace

Search search(const Structures &structures, double cutoff, int threads) {
  require_finite(structures);
  Grids grids(static_cast<std::size_t>(structures.systems));
  for_each_task(structures.systems, threads, [&](std::int64_t s, int) {
    const std::int64_t first = structures.start[s];
    grids[static_cast<std::size_t>(s)] = std::make_unique<CellGrid>(
        structures.start[s + 1] - first, structures.positions + 3 * first, structures.boxes + 9 * s, structures.periodic + 3 * s, cutoff);
  });
  const auto windows = grouped(structures, grids);
  std::vector<Window> found(windows.size());
  std::vector<Shortest> shortest(windows.size());
  for_each_task(static_cast<std::int64_t>(windows.size()), threads, [&](std::int64_t w, int) {
    WindowSearch window(structures, cutoff);
    for (const Group &group : windows[static_cast<std::size_t>(w)]) window.add(group);
    found[static_cast<std::size_t>(w)] = window.take();
    shortest[static_cast<std::size_t>(w)] = window.shortest();
  });
  Shortest first{std::numeric_limits<double>::infinity(), 0, 0, {}};
  for (const Shortest &edge : shortest)
    if (sooner(edge, first)) first = edge;
  std::vector<std::int64_t> start(structures.start, structures.start + structures.systems + 1);
  return {EdgeList(std::move(start), std::move(found)), first};
}

}  // namespace adiabat
