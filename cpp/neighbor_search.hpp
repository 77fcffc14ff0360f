#pragma once
#include <cstdint>

#include "edge_list.hpp"

namespace adiabat {

// Structures one after the other. Along a direction that is not periodic, the vector of the box is orthogonal to the others
// and longer than the extent of the atoms and the cutoff together.
struct Structures {
  std::int64_t systems;
  const std::int64_t *start;     // (systems + 1,): their first atoms
  const double *positions;       // (atoms, 3) Å, finite
  const double *boxes;           // (systems, 3, 3) Å, rows are vectors
  const std::uint8_t *periodic;  // (systems, 3)
  const std::int64_t *numbers;   // (atoms,): their kinds
};

// The shortest edge; the first one of those that are as short.
struct Shortest {
  double squared;  // Å²; infinite without edges
  std::int64_t center, neighbor;
  std::int32_t shift[3];
};

struct Search {
  EdgeList edges;
  Shortest shortest;
};

// All directed edges shorter than the cutoff, by centre, neighbour, then shift; the same for any number of threads.
// How a structure is cut into windows depends on nothing but itself.
// Throws std::invalid_argument where a cell is so thin that an atom has too many images within the cutoff.
Search search(const Structures &structures, double cutoff, int threads);

}  // namespace adiabat
