#pragma once
#include <cstddef>
#include <cstdint>

#include "ace/views.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

struct Configuration {
  const double *positions;      // (atoms, 3) Å
  const double *cells;          // (systems, 3, 3) Å
  const std::int32_t *species;  // (atoms,)
};

// Throws std::invalid_argument where a position or a cell is not finite, or a species not one of so many.
void require_usable(const EdgeList &edges, const Configuration &configuration, std::int32_t species);

// One window at a time, with its sites and particles where they now are; in memory that is lent to it.
class Frame {
 public:
  static std::size_t bytes(const EdgeList &list, std::int32_t species, int lanes);
  Frame(const EdgeList &list, const Configuration &configuration, std::int32_t species, int lanes, void *memory);

  // Goes to a window; what was there before is gone.
  void show(std::size_t window);
  const Edges &edges() const { return edges_; }
  // Sites in blocks of one species, in their order, -1 where a block is not full.
  const std::int32_t *order() const { return tables_.order; }
  std::int64_t blocks() const { return blocks_; }

 private:
  struct Tables {
    double *sites, *particles, *offsets;
    std::int32_t *site_species, *particle_species, *order;
  };
  // Lays the tables out in the memory, and says how much of it they take; without memory it only counts.
  static std::size_t lay_out(const EdgeList &list, std::int32_t species, int lanes, void *memory, Tables &tables);
  void make_blocks();

  const EdgeList &list_;
  Configuration configuration_;
  std::int32_t species_;
  int lanes_;
  Tables tables_;
  std::int64_t blocks_ = 0;
  Edges edges_{};
};

}  // namespace adiabat::ace
