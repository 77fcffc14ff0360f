#include "ace/scheduler.hpp"

#include <cmath>
#include <stdexcept>

namespace adiabat::ace {

void require_usable(const EdgeList &edges, const Configuration &c, std::int32_t species) {
  for (std::int64_t k = 0; k < 3 * edges.atoms(); ++k)
    if (!std::isfinite(c.positions[k])) throw std::invalid_argument("positions must be finite");
  for (std::int64_t k = 0; k < 9 * edges.systems(); ++k)
    if (!std::isfinite(c.cells[k])) throw std::invalid_argument("cells must be finite");
  for (std::int64_t a = 0; a < edges.atoms(); ++a)
    if (c.species[a] < 0 || c.species[a] >= species)
      throw std::invalid_argument("species must lie between 0 and their number");
}

std::vector<std::int64_t> blocks(const EdgeList &edges, const std::int32_t *species, std::int32_t n_species, int lanes) {
  constexpr std::ptrdiff_t stretch = 512;
  std::vector<std::vector<std::int64_t>> by_species(static_cast<std::size_t>(n_species));
  for (std::int64_t a = 0; a < edges.atoms(); ++a) by_species[static_cast<std::size_t>(species[a])].push_back(a);
  const auto fewer = [&edges](std::int64_t a, std::int64_t b) {
    const auto count = [&edges](std::int64_t i) {
      return edges.start[static_cast<std::size_t>(i) + 1] - edges.start[static_cast<std::size_t>(i)];
    };
    return count(a) != count(b) ? count(a) < count(b) : a < b;
  };
  std::vector<std::int64_t> order;
  for (auto &atoms : by_species) {
    for (auto from = atoms.begin(); from != atoms.end();) {
      const auto to = from + std::min(stretch, atoms.end() - from);
      std::sort(from, to, fewer);
      from = to;
    }
    order.insert(order.end(), atoms.begin(), atoms.end());
    while (order.size() % static_cast<std::size_t>(lanes)) order.push_back(-1);
  }
  return order;
}

namespace {

template <class T, bool alone>
void gather_members(const EdgeList &edges, const Edges &view, const T *gradients, const Request &request,
                    std::int64_t first, std::int64_t last) {
  const std::int64_t members = alone ? 1 : request.members, width = 3 * members;
  if (request.atomic_virials)
    std::fill(request.atomic_virials + 9 * members * first, request.atomic_virials + 9 * members * last, 0.0);
  double few[3];
  std::vector<double> many(alone ? 0 : static_cast<std::size_t>(width));
  double *sum = alone ? few : many.data();
  for (std::int64_t a = first; a < last; ++a) {
    std::fill(sum, sum + width, 0.0);
    const auto begin = edges.ending_start[static_cast<std::size_t>(a)];
    const auto end = edges.ending_start[static_cast<std::size_t>(a) + 1];
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t e = edges.ending[static_cast<std::size_t>(k)];
      const T *gradient = gradients + width * e;
      for (std::int64_t d = 0; d < width; ++d) sum[d] += gradient[d];
      if (!request.atomic_virials) continue;
      const double *center = view.positions + 3 * edges.center_of(e), *offset = view.offset + 3 * view.image[e];
      for (std::int64_t m = 0; m < members; ++m)
        for (int d = 0; d < 3; ++d) {
          const double towards = center[d] - view.positions[3 * a + d] - offset[d];  // from this atom to the centre
          double *virial = request.atomic_virials + 9 * (members * a + m) + 3 * d;
          for (int b = 0; b < 3; ++b) virial[b] += towards * gradient[3 * m + b];
        }
    }
    for (std::int64_t d = 0; d < width; ++d) request.forces[width * a + d] -= sum[d];
  }
}

}  // namespace

template <class T>
void gather(const EdgeList &edges, const Edges &view, const T *gradients, const Request &request, std::int64_t first,
            std::int64_t last) {
  if (request.members == 1)
    gather_members<T, true>(edges, view, gradients, request, first, last);
  else
    gather_members<T, false>(edges, view, gradients, request, first, last);
}

template void gather(const EdgeList &, const Edges &, const double *, const Request &, std::int64_t, std::int64_t);
template void gather(const EdgeList &, const Edges &, const float *, const Request &, std::int64_t, std::int64_t);

Scheduler::Memory Scheduler::borrow(std::size_t size) {
  Memory memory;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::swap(memory, kept_);
  }
  if (memory.size < size) {
    memory.bytes.reset();  // before the new one is taken
    memory.bytes.reset(new char[size]);
    memory.size = size;
  }
  return memory;
}

void Scheduler::give_back(Memory memory) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (memory.size > kept_.size) std::swap(memory, kept_);
}

}  // namespace adiabat::ace
