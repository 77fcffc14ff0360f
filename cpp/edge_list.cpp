#include "edge_list.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace adiabat {
namespace {

constexpr std::uint32_t nothing = std::numeric_limits<std::uint32_t>::max();

bool same(const Image &a, const Image &b) {
  return a.system == b.system && std::equal(a.shift, a.shift + 3, b.shift);
}

std::size_t hash(const Image &image) {
  std::uint64_t mixed = static_cast<std::uint32_t>(image.system);
  for (const auto shift : image.shift) mixed = (mixed ^ static_cast<std::uint32_t>(shift)) * 0x9E3779B97F4A7C15u;
  return static_cast<std::size_t>(mixed ^ (mixed >> 29));
}

// A particle before it has a number.
struct Target {
  std::uint32_t atom;
  std::array<std::int32_t, 3> shift;
  bool operator<(const Target &other) const { return atom != other.atom ? atom < other.atom : shift < other.shift; }
  bool operator==(const Target &other) const { return atom == other.atom && shift == other.shift; }
};

struct ListedEdges {
  const std::int64_t *neighbor, *shift, *system;
  std::vector<std::int64_t> start;  // (atoms + 1,)

  Target target(std::int64_t edge) const {
    const std::int64_t *s = shift + 3 * edge;
    return {static_cast<std::uint32_t>(neighbor[edge]),
            {static_cast<std::int32_t>(s[0]), static_cast<std::int32_t>(s[1]), static_cast<std::int32_t>(s[2])}};
  }
};

std::vector<std::int64_t> row_starts(std::int64_t atoms, std::int64_t edges, const std::int64_t *center,
                                     const std::int64_t *neighbor, const std::int64_t *shift) {
  constexpr std::int64_t far = std::numeric_limits<std::int32_t>::max() / 2;
  std::vector<std::int64_t> start(static_cast<std::size_t>(atoms) + 1, 0);
  for (std::int64_t e = 0; e < edges; ++e) {
    if (center[e] < 0 || center[e] >= atoms || neighbor[e] < 0 || neighbor[e] >= atoms)
      throw std::out_of_range("center and neighbor must lie between 0 and the number of atoms");
    if (e > 0 && center[e] < center[e - 1]) throw std::invalid_argument("edges must stand by ascending center");
    for (int d = 0; d < 3; ++d)
      if (shift[3 * e + d] > far || shift[3 * e + d] < -far) throw std::invalid_argument("shifts are less than 2^30");
    ++start[static_cast<std::size_t>(center[e]) + 1];
  }
  std::partial_sum(start.begin(), start.end(), start.begin());
  return start;
}

// The window of atoms [first, last).
Window window_of(const ListedEdges &listed, std::int64_t first, std::int64_t last) {
  Window window;
  ImageNumbers numbers(window.images);
  std::vector<Target> targets;
  const std::int64_t begin = listed.start[static_cast<std::size_t>(first)], end = listed.start[static_cast<std::size_t>(last)];
  if (end - begin >= nothing) throw std::invalid_argument("edges of a window are fewer than 2^32");
  for (std::int64_t e = begin; e < end; ++e) targets.push_back(listed.target(e));
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  for (const Target &t : targets) {
    const auto system = static_cast<std::int32_t>(listed.system[t.atom]);
    window.particle.push_back(t.atom);
    window.particle_image.push_back(numbers.number({system, {t.shift[0], t.shift[1], t.shift[2]}}));
  }
  for (std::int64_t a = first; a < last; ++a) {
    window.atom.push_back(static_cast<std::uint32_t>(a));
    window.image.push_back(numbers.number({static_cast<std::int32_t>(listed.system[a]), {0, 0, 0}}));
    window.start.push_back(static_cast<std::uint32_t>(listed.start[static_cast<std::size_t>(a)] - begin));
  }
  window.start.push_back(static_cast<std::uint32_t>(end - begin));
  for (std::int64_t e = begin; e < end; ++e) {
    const auto found = std::lower_bound(targets.begin(), targets.end(), listed.target(e));
    window.neighbor.push_back(static_cast<std::uint32_t>(found - targets.begin()));
  }
  sort_sites(window);
  return window;
}

}  // namespace

std::uint32_t ImageNumbers::number(const Image &image) {
  if (2 * (images_.size() + 1) > table_.size()) grow();
  std::size_t at = hash(image) & (table_.size() - 1);
  for (; table_[at] != nothing; at = (at + 1) & (table_.size() - 1))
    if (same(images_[table_[at]], image)) return table_[at];
  table_[at] = static_cast<std::uint32_t>(images_.size());
  images_.push_back(image);
  return table_[at];
}

void ImageNumbers::grow() {
  table_.assign(std::max<std::size_t>(64, 4 * table_.size()), nothing);
  for (std::size_t k = 0; k < images_.size(); ++k) {
    std::size_t at = hash(images_[k]) & (table_.size() - 1);
    while (table_[at] != nothing) at = (at + 1) & (table_.size() - 1);
    table_[at] = static_cast<std::uint32_t>(k);
  }
}

std::int64_t window_size(std::int64_t atoms, std::int64_t kinds) {
  constexpr std::int64_t fewest = 64, most = 512, windows = 256;
  const std::int64_t even = (atoms / windows + fewest - 1) / fewest * fewest;
  return std::max<std::int64_t>(1, kinds) * std::clamp(even, fewest, most);
}

void sort_sites(Window &window) {
  const auto count = [&window](std::uint32_t site) { return window.start[site + 1] - window.start[site]; };
  std::vector<std::uint32_t> order(window.atom.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return count(a) != count(b) ? count(a) < count(b) : window.atom[a] < window.atom[b];
  });
  Window sorted;
  sorted.start.push_back(0);
  sorted.neighbor.reserve(window.neighbor.size());
  for (const auto site : order) {
    sorted.atom.push_back(window.atom[site]);
    sorted.image.push_back(window.image[site]);
    sorted.neighbor.insert(sorted.neighbor.end(), window.neighbor.begin() + window.start[site],
                           window.neighbor.begin() + window.start[site + 1]);
    sorted.start.push_back(static_cast<std::uint32_t>(sorted.neighbor.size()));
  }
  window.atom = std::move(sorted.atom);
  window.image = std::move(sorted.image);
  window.start = std::move(sorted.start);
  window.neighbor = std::move(sorted.neighbor);
}

EdgeList::EdgeList(std::vector<std::int64_t> system_start, std::vector<Window> windows)
    : system_start_(std::move(system_start)), windows_(std::move(windows)) {
  std::int64_t particles = 0;
  for (const Window &window : windows_) {
    first_particle_.push_back(particles);
    particles += window.particles();
    edges_ += window.edges();
    most_sites_ = std::max(most_sites_, window.sites());
    most_particles_ = std::max(most_particles_, window.particles());
    for (std::size_t k = 0; k < window.atom.size(); ++k)
      longest_row_ = std::max<std::int64_t>(longest_row_, window.start[k + 1] - window.start[k]);
  }
  if (particles >= nothing) throw std::invalid_argument("atoms and their images are fewer than 2^32");
  find_copies();
}

void EdgeList::find_copies() {
  copy_start_.assign(static_cast<std::size_t>(atoms()) + 1, 0);
  for (const Window &window : windows_)
    for (const auto atom : window.particle) ++copy_start_[static_cast<std::size_t>(atom) + 1];
  std::partial_sum(copy_start_.begin(), copy_start_.end(), copy_start_.begin());
  copy_.resize(static_cast<std::size_t>(copy_start_.back()));
  std::vector<std::int64_t> next(copy_start_.begin(), copy_start_.end() - 1);
  std::uint32_t number = 0;
  for (const Window &window : windows_)
    for (const auto atom : window.particle) copy_[static_cast<std::size_t>(next[atom]++)] = number++;
}

EdgeList EdgeList::listed(std::int64_t atoms, std::int64_t systems, std::int64_t edges, const std::int64_t *center,
                          const std::int64_t *neighbor, const std::int64_t *shift, const std::int64_t *system) {
  if (atoms < 0 || systems < 0 || edges < 0) throw std::invalid_argument("numbers of atoms and edges are not negative");
  if (atoms >= nothing || systems >= std::numeric_limits<std::int32_t>::max())
    throw std::invalid_argument("atoms are fewer than 2^32, systems than 2^31");
  std::vector<std::int64_t> system_start(static_cast<std::size_t>(systems) + 1, 0);
  for (std::int64_t a = 0; a < atoms; ++a) {
    if (system[a] < 0 || system[a] >= systems) throw std::out_of_range("system must lie between 0 and their number");
    if (a > 0 && system[a] < system[a - 1]) throw std::invalid_argument("atoms must stand by ascending system");
    ++system_start[static_cast<std::size_t>(system[a]) + 1];
  }
  std::partial_sum(system_start.begin(), system_start.end(), system_start.begin());
  const ListedEdges listed{neighbor, shift, system, row_starts(atoms, edges, center, neighbor, shift)};
  std::vector<Window> windows;
  const std::int64_t size = window_size(atoms, 1);
  for (std::int64_t first = 0; first < atoms; first += size)
    windows.push_back(window_of(listed, first, std::min(first + size, atoms)));
  return EdgeList(std::move(system_start), std::move(windows));
}

void EdgeList::expand(std::int64_t *center, std::int64_t *neighbor, std::int64_t *shift) const {
  std::vector<std::int64_t> start(static_cast<std::size_t>(atoms()) + 1, 0);
  for (const Window &window : windows_)
    for (std::size_t k = 0; k < window.atom.size(); ++k)
      start[static_cast<std::size_t>(window.atom[k]) + 1] = window.start[k + 1] - window.start[k];
  std::partial_sum(start.begin(), start.end(), start.begin());
  for (const Window &window : windows_)
    for (std::size_t k = 0; k < window.atom.size(); ++k) {
      const Image &own = window.images[window.image[k]];
      std::int64_t to = start[window.atom[k]];
      for (std::uint32_t e = window.start[k]; e < window.start[k + 1]; ++e, ++to) {
        const std::uint32_t particle = window.neighbor[e];
        const Image &image = window.images[window.particle_image[particle]];
        center[to] = window.atom[k];
        neighbor[to] = window.particle[particle];
        for (int d = 0; d < 3; ++d) shift[3 * to + d] = static_cast<std::int64_t>(image.shift[d]) - own.shift[d];
      }
    }
}

}  // namespace adiabat
