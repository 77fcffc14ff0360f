#include "edge_order.hpp"

#include <algorithm>
#include <vector>

namespace adiabat {

void canonical_edge_order(std::int64_t edges, std::int64_t atoms, const std::int64_t *center,
                          const std::int64_t *neighbor, const std::int64_t *shift, std::int64_t *order) {
  // Counting sort by centre; the few edges of one atom are then sorted by comparison.
  std::vector<std::int64_t> start(static_cast<std::size_t>(atoms) + 1, 0);
  for (std::int64_t e = 0; e < edges; ++e) ++start[static_cast<std::size_t>(center[e]) + 1];
  for (std::size_t a = 0; a < static_cast<std::size_t>(atoms); ++a) start[a + 1] += start[a];
  std::vector<std::int64_t> next(start.begin(), start.end() - 1);
  for (std::int64_t e = 0; e < edges; ++e) order[next[static_cast<std::size_t>(center[e])]++] = e;

  const auto before = [neighbor, shift](std::int64_t a, std::int64_t b) {
    if (neighbor[a] != neighbor[b]) return neighbor[a] < neighbor[b];
    return std::lexicographical_compare(shift + 3 * a, shift + 3 * a + 3, shift + 3 * b, shift + 3 * b + 3);
  };
  for (std::size_t a = 0; a < static_cast<std::size_t>(atoms); ++a)
    std::sort(order + start[a], order + start[a + 1], before);
}

}  // namespace adiabat
