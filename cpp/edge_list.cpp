#include "edge_list.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace adiabat {
namespace {

// Finds the number of each distinct (system, shift), in order of appearance.
class ImageNumbers {
 public:
  template <class Image>
  std::uint32_t number(std::vector<Image> &images, const Image &image) {
    if (2 * (images.size() + 1) > table_.size()) grow(images);
    std::size_t at = hash(image) & (table_.size() - 1);
    for (; table_[at] != nothing; at = (at + 1) & (table_.size() - 1))
      if (same(images[table_[at]], image)) return table_[at];
    table_[at] = static_cast<std::uint32_t>(images.size());
    images.push_back(image);
    return table_[at];
  }

 private:
  static constexpr std::uint32_t nothing = std::numeric_limits<std::uint32_t>::max();

  template <class Image>
  static bool same(const Image &a, const Image &b) {
    return a.system == b.system && std::equal(a.shift, a.shift + 3, b.shift);
  }

  template <class Image>
  static std::size_t hash(const Image &image) {
    std::uint64_t mixed = static_cast<std::uint64_t>(image.system);
    for (const auto shift : image.shift) mixed = (mixed ^ static_cast<std::uint64_t>(shift)) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed ^ (mixed >> 29));
  }

  template <class Image>
  void grow(const std::vector<Image> &images) {
    table_.assign(std::max<std::size_t>(64, 4 * table_.size()), nothing);
    for (std::size_t k = 0; k < images.size(); ++k) {
      std::size_t at = hash(images[k]) & (table_.size() - 1);
      while (table_[at] != nothing) at = (at + 1) & (table_.size() - 1);
      table_[at] = static_cast<std::uint32_t>(k);
    }
  }

  std::vector<std::uint32_t> table_;
};

}  // namespace

EdgeList::EdgeList(std::int64_t atoms, std::int64_t systems, std::int64_t edges, const std::int64_t *center,
                   const std::int64_t *neighbor_of, const std::int64_t *shift, const std::int64_t *system)
    : atoms_(atoms), systems_(systems) {
  const std::int64_t limit = std::numeric_limits<std::uint32_t>::max();
  if (atoms < 0 || systems < 0 || edges < 0) throw std::invalid_argument("numbers of atoms and edges are not negative");
  if (atoms >= limit || edges >= limit) throw std::invalid_argument("atoms and edges are fewer than 2^32");
  for (std::int64_t a = 0; a < atoms; ++a)
    if (system[a] < 0 || system[a] >= systems) throw std::out_of_range("system must lie between 0 and their number");
  start.assign(static_cast<std::size_t>(atoms) + 1, 0);
  neighbor.resize(static_cast<std::size_t>(edges));
  for (std::int64_t e = 0; e < edges; ++e) {
    if (center[e] < 0 || center[e] >= atoms || neighbor_of[e] < 0 || neighbor_of[e] >= atoms)
      throw std::out_of_range("center and neighbor must lie between 0 and the number of atoms");
    if (e > 0 && center[e] < center[e - 1]) throw std::invalid_argument("edges must stand by ascending center");
    ++start[static_cast<std::size_t>(center[e]) + 1];
    neighbor[static_cast<std::size_t>(e)] = static_cast<std::uint32_t>(neighbor_of[e]);
  }
  for (std::size_t a = 0; a < static_cast<std::size_t>(atoms); ++a) {
    longest_row_ = std::max(longest_row_, start[a + 1]);
    start[a + 1] += start[a];
  }
  find_images(center, shift, system);
  find_ending();
}

void EdgeList::find_images(const std::int64_t *center, const std::int64_t *shift, const std::int64_t *system) {
  image.resize(neighbor.size());
  ImageNumbers numbers;
  for (std::size_t e = 0; e < neighbor.size(); ++e)
    image[e] = numbers.number(images_, Image{system[center[e]], {shift[3 * e], shift[3 * e + 1], shift[3 * e + 2]}});
}

void EdgeList::find_ending() {
  ending_start.assign(static_cast<std::size_t>(atoms_) + 1, 0);
  ending.resize(neighbor.size());
  for (const auto end : neighbor) ++ending_start[static_cast<std::size_t>(end) + 1];
  for (std::size_t a = 0; a < static_cast<std::size_t>(atoms_); ++a) ending_start[a + 1] += ending_start[a];
  std::vector<std::int64_t> next(ending_start.begin(), ending_start.end() - 1);
  for (std::size_t e = 0; e < neighbor.size(); ++e)
    ending[static_cast<std::size_t>(next[neighbor[e]]++)] = static_cast<std::uint32_t>(e);
}

std::vector<double> EdgeList::offsets(const double *cells) const {
  std::vector<double> found;
  found.reserve(3 * images_.size());
  for (const auto &image : images_) {
    const double *cell = cells + 9 * image.system;
    for (int b = 0; b < 3; ++b)
      found.push_back(static_cast<double>(image.shift[0]) * cell[b] + static_cast<double>(image.shift[1]) * cell[3 + b] +
                      static_cast<double>(image.shift[2]) * cell[6 + b]);
  }
  return found;
}

std::int64_t EdgeList::center_of(std::int64_t edge) const {
  return std::upper_bound(start.begin(), start.end(), edge) - start.begin() - 1;
}

}  // namespace adiabat
