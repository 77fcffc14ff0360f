#include "ace/frame.hpp"

#include <cmath>
#include <stdexcept>

namespace adiabat::ace {
namespace {

// Hands out pieces of the memory, or only counts them.
class Pieces {
 public:
  explicit Pieces(void *memory) : start_(static_cast<char *>(memory)) {}
  template <class V>
  V *take(std::int64_t count) {
    V *piece = start_ ? reinterpret_cast<V *>(start_ + used_) : nullptr;
    used_ += (static_cast<std::size_t>(count) * sizeof(V) + 63) / 64 * 64;
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  char *start_;
  std::size_t used_ = 0;
};

void put(const double *position, const double *offset, double *to) {
  for (int d = 0; d < 3; ++d) to[d] = position[d] + offset[d];
}

}  // namespace

void require_usable(const EdgeList &edges, const Configuration &c, std::int32_t species) {
  for (std::int64_t k = 0; k < 3 * edges.atoms(); ++k)
    if (!std::isfinite(c.positions[k])) throw std::invalid_argument("positions must be finite");
  for (std::int64_t k = 0; k < 9 * edges.systems(); ++k)
    if (!std::isfinite(c.cells[k])) throw std::invalid_argument("cells must be finite");
  for (std::int64_t a = 0; a < edges.atoms(); ++a)
    if (c.species[a] < 0 || c.species[a] >= species)
      throw std::invalid_argument("species must lie between 0 and their number");
}

std::size_t Frame::lay_out(const EdgeList &list, std::int32_t species, int lanes, void *memory, Tables &tables) {
  Pieces pieces(memory);
  tables.sites = pieces.take<double>(3 * list.most_sites());
  tables.particles = pieces.take<double>(3 * list.most_particles());
  tables.offsets = pieces.take<double>(3 * (list.most_sites() + list.most_particles()));
  tables.site_species = pieces.take<std::int32_t>(list.most_sites());
  tables.particle_species = pieces.take<std::int32_t>(list.most_particles());
  tables.order = pieces.take<std::int32_t>(list.most_sites() + static_cast<std::int64_t>(species) * lanes);
  return pieces.used();
}

std::size_t Frame::bytes(const EdgeList &list, std::int32_t species, int lanes) {
  Tables tables;
  return lay_out(list, species, lanes, nullptr, tables);
}

Frame::Frame(const EdgeList &list, const Configuration &configuration, std::int32_t species, int lanes, void *memory)
    : list_(list), configuration_(configuration), species_(species), lanes_(lanes) {
  lay_out(list, species, lanes, memory, tables_);
}

void Frame::show(std::size_t number) {
  const Window &window = list_.windows()[number];
  for (std::size_t i = 0; i < window.images.size(); ++i) {
    const Image &image = window.images[i];
    const double *cell = configuration_.cells + 9 * image.system;
    for (int b = 0; b < 3; ++b)
      tables_.offsets[3 * i + static_cast<std::size_t>(b)] = image.shift[0] * cell[b] + image.shift[1] * cell[3 + b] + image.shift[2] * cell[6 + b];
  }
  for (std::size_t k = 0; k < window.atom.size(); ++k) {
    const std::size_t atom = window.atom[k];
    put(configuration_.positions + 3 * atom, tables_.offsets + 3 * window.image[k], tables_.sites + 3 * k);
    tables_.site_species[k] = configuration_.species[atom];
  }
  for (std::size_t k = 0; k < window.particle.size(); ++k) {
    const std::size_t atom = window.particle[k];
    put(configuration_.positions + 3 * atom, tables_.offsets + 3 * window.particle_image[k], tables_.particles + 3 * k);
    tables_.particle_species[k] = configuration_.species[atom];
  }
  edges_ = {list_.longest_row(),  window.sites(),         window.start.data(),
            window.neighbor.data(), window.atom.data(),     tables_.sites,
            tables_.site_species,          window.particle.data(), tables_.particles,
            tables_.particle_species};
  make_blocks();
}

void Frame::make_blocks() {
  std::int64_t filled = 0;
  for (std::int32_t s = 0; s < species_; ++s) {
    for (std::int64_t k = 0; k < edges_.number; ++k)
      if (tables_.site_species[k] == s) tables_.order[filled++] = static_cast<std::int32_t>(k);
    while (filled % lanes_) tables_.order[filled++] = -1;
  }
  blocks_ = filled / lanes_;
}

}  // namespace adiabat::ace
