#pragma once
#include <cstdint>
#include <vector>

namespace adiabat {

// A translation by cell vectors, of a structure.
struct Image {
  std::int32_t system;
  std::int32_t shift[3];
};

// Atoms that stand near each other, and the particles that their edges end at: each image of an atom once.
// Sites are the atoms of the window, those with alike numbers of edges side by side.
struct Window {
  std::vector<std::uint32_t> atom;            // (sites,)
  std::vector<std::uint32_t> image;           // (sites,): where the atom stands among the particles
  std::vector<std::uint32_t> start;           // (sites + 1,)
  std::vector<std::uint32_t> neighbor;        // (edges,): particles
  std::vector<std::uint32_t> particle;        // (particles,): atoms
  std::vector<std::uint32_t> particle_image;  // (particles,)
  std::vector<Image> images;

  std::int64_t sites() const { return static_cast<std::int64_t>(atom.size()); }
  std::int64_t edges() const { return static_cast<std::int64_t>(neighbor.size()); }
  std::int64_t particles() const { return static_cast<std::int64_t>(particle.size()); }
};

// Directed edges in the order that the kernels walk, 4 bytes each, with what depends on them alone.
class EdgeList {
 public:
  // Every atom stands in one window. system_start: (systems + 1,) the first atom of each.
  EdgeList(std::vector<std::int64_t> system_start, std::vector<Window> windows);
  // Edges that are listed: center ascending, (edges,); neighbor (edges,); shift (edges, 3); system (atoms,), ascending, of
  // `systems` structures. Throws std::invalid_argument or std::out_of_range where an index leaves its table.
  static EdgeList listed(std::int64_t atoms, std::int64_t systems, std::int64_t edges, const std::int64_t *center,
                         const std::int64_t *neighbor, const std::int64_t *shift, const std::int64_t *system);

  std::int64_t atoms() const { return system_start_.back(); }
  std::int64_t systems() const { return static_cast<std::int64_t>(system_start_.size()) - 1; }
  const std::vector<std::int64_t> &system_start() const { return system_start_; }
  std::int64_t edges() const { return edges_; }
  std::int64_t longest_row() const { return longest_row_; }
  std::int64_t most_sites() const { return most_sites_; }
  std::int64_t most_particles() const { return most_particles_; }
  std::int64_t particles() const { return static_cast<std::int64_t>(copy_.size()); }
  const std::vector<Window> &windows() const { return windows_; }
  // The number of the first particle of a window among those of all.
  std::int64_t first_particle(std::size_t window) const { return first_particle_[window]; }
  // Numbers of the particles that are images of an atom, ascending: copies()[copy_start()[a]] ...
  const std::vector<std::int64_t> &copy_start() const { return copy_start_; }
  const std::vector<std::uint32_t> &copies() const { return copy_; }

  // Writes all edges by ascending center, each atom's in their order: (edges,), (edges,), (edges, 3).
  void expand(std::int64_t *center, std::int64_t *neighbor, std::int64_t *shift) const;

 private:
  void find_copies();

  std::vector<std::int64_t> system_start_;
  std::int64_t edges_ = 0, longest_row_ = 0, most_sites_ = 0, most_particles_ = 0;
  std::vector<Window> windows_;
  std::vector<std::int64_t> first_particle_, copy_start_;
  std::vector<std::uint32_t> copy_;
};

// Puts sites with few edges first, those with as many by ascending atom: then few lanes of a block wait for others.
void sort_sites(Window &window);

// How many atoms a window of a structure should have, where those are of so many kinds: enough to fill blocks of each kind,
// and that particles are few for each atom; few enough that threads share the work evenly and a window stays in cache.
std::int64_t window_size(std::int64_t atoms, std::int64_t kinds);

// Finds the number of each distinct image, in order of appearance.
class ImageNumbers {
 public:
  explicit ImageNumbers(std::vector<Image> &images) : images_(images) {}
  std::uint32_t number(const Image &image);

 private:
  void grow();

  std::vector<Image> &images_;
  std::vector<std::uint32_t> table_;
};

}  // namespace adiabat
