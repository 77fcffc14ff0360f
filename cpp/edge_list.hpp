#pragma once
#include <cstdint>
#include <vector>

namespace adiabat {

// Directed edges in the order that the kernels walk, 12 bytes each, with what depends on them alone.
class EdgeList {
 public:
  // center ascending, (edges,); neighbor (edges,); shift (edges, 3); system (atoms,), of `systems` structures.
  // Throws std::invalid_argument or std::out_of_range where an index leaves its table.
  EdgeList(std::int64_t atoms, std::int64_t systems, std::int64_t edges, const std::int64_t *center,
           const std::int64_t *neighbor, const std::int64_t *shift, const std::int64_t *system);

  std::int64_t atoms() const { return atoms_; }
  std::int64_t systems() const { return systems_; }
  std::int64_t edges() const { return static_cast<std::int64_t>(neighbor.size()); }
  std::int64_t longest_row() const { return longest_row_; }
  // (images, 3): the translation of each distinct image, from cells (systems, 3, 3) with rows as vectors.
  std::vector<double> offsets(const double *cells) const;
  // The centre of an edge.
  std::int64_t center_of(std::int64_t edge) const;

  std::vector<std::int64_t> start;      // (atoms + 1,)
  std::vector<std::uint32_t> neighbor;  // (edges,)
  std::vector<std::uint32_t> image;     // (edges,)
  // The edges that end at each atom, by ascending centre.
  std::vector<std::int64_t> ending_start;  // (atoms + 1,)
  std::vector<std::uint32_t> ending;       // (edges,)

 private:
  struct Image {
    std::int64_t system, shift[3];
  };
  void find_images(const std::int64_t *center, const std::int64_t *shift, const std::int64_t *system);
  void find_ending();

  std::int64_t atoms_, systems_, longest_row_ = 0;
  std::vector<Image> images_;
};

}  // namespace adiabat
