#pragma once
#include <cstdint>

namespace adiabat {

// Writes to `order` the permutation that sorts directed edges canonically: by centre, neighbour, then shift.
// center, neighbor: (edges,); shift: (edges, 3); all values of center lie in [0, atoms).
void canonical_edge_order(std::int64_t edges, std::int64_t atoms, const std::int64_t *center,
                          const std::int64_t *neighbor, const std::int64_t *shift, std::int64_t *order);

}  // namespace adiabat
