#include "ace/scheduler.hpp"

#include <vector>

namespace adiabat::ace {
namespace {

// to[k] += sign Σ_copies from[copy][k], k < width.
void add_copies(const EdgeList &list, std::size_t atom, const double *from, std::size_t width, double sign, double *to) {
  const std::uint32_t *first = list.copies().data() + list.copy_start()[atom];
  const std::uint32_t *last = list.copies().data() + list.copy_start()[atom + 1];
  if (width == 3) {  // one energy's forces: by far the most frequent
    double sum[3] = {0, 0, 0};
    for (const std::uint32_t *copy = first; copy < last; ++copy)
      for (std::size_t k = 0; k < 3; ++k) sum[k] += from[3 * static_cast<std::size_t>(*copy) + k];
    for (std::size_t k = 0; k < 3; ++k) to[k] += sign * sum[k];
    return;
  }
  for (std::size_t k = 0; k < width; ++k) {
    double sum = 0;
    for (const std::uint32_t *copy = first; copy < last; ++copy) sum += from[width * static_cast<std::size_t>(*copy) + k];
    to[k] += sign * sum;
  }
}

// to[k] += Σ_atoms from[atom][k], k < width.
void add_atoms(const double *from, std::int64_t first, std::int64_t last, std::size_t width, double *to) {
  for (std::int64_t a = first; a < last; ++a)
    for (std::size_t k = 0; k < width; ++k) to[k] += from[width * static_cast<std::size_t>(a) + k];
}

// Sums of atoms [first, last) of a system: energies (members,), then virials (members, 6).
struct Stretch {
  std::int64_t system, first, last;
};

}  // namespace

void gather(const EdgeList &list, std::size_t window, const Collected &collected, const Request &request) {
  const std::size_t forces = 3 * static_cast<std::size_t>(request.members), virials = 3 * forces;
  for (const std::size_t atom : list.windows()[window].atom) {
    add_copies(list, atom, collected.pulls, forces, -1.0, request.forces + forces * atom);
    if (!request.atomic_virials) continue;
    double *virial = request.atomic_virials + virials * atom;
    std::fill_n(virial, virials, 0.0);
    add_copies(list, atom, collected.twists, virials, 1.0, virial);
  }
}

void sum_systems(const EdgeList &list, const Collected &collected, const Request &request, int threads) {
  constexpr std::int64_t longest = 4096;
  const std::size_t members = static_cast<std::size_t>(request.members), width = request.system_virials ? 7 * members : members;
  std::vector<Stretch> stretches;
  for (std::int64_t s = 0; s < list.systems(); ++s) {
    const std::int64_t begin = list.system_start()[static_cast<std::size_t>(s)], end = list.system_start()[static_cast<std::size_t>(s) + 1];
    for (std::int64_t first = begin; first < end; first += longest) stretches.push_back({s, first, std::min(first + longest, end)});
  }
  std::vector<double> sums(width * stretches.size(), 0.0), totals(width * static_cast<std::size_t>(list.systems()), 0.0);
  for_each_task(static_cast<std::int64_t>(stretches.size()), list.atoms() > 4 * longest ? threads : 1, [&](std::int64_t task, int) {
    const Stretch &stretch = stretches[static_cast<std::size_t>(task)];
    double *to = sums.data() + width * static_cast<std::size_t>(task);
    add_atoms(request.energies, stretch.first, stretch.last, members, to);
    if (request.system_virials) add_atoms(collected.virials, stretch.first, stretch.last, 6 * members, to + members);
  });
  for (std::size_t k = 0; k < stretches.size(); ++k)
    for (std::size_t w = 0; w < width; ++w) totals[width * static_cast<std::size_t>(stretches[k].system) + w] += sums[width * k + w];
  constexpr std::size_t voigt[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  for (std::size_t s = 0; s < static_cast<std::size_t>(list.systems()); ++s)
    for (std::size_t m = 0; m < members; ++m) {
      const double *total = totals.data() + width * s;
      request.system_energies[members * s + m] = total[m];
      for (std::size_t k = 0; request.system_virials && k < 9; ++k)
        request.system_virials[9 * (members * s + m) + k] = total[members + 6 * m + voigt[k]];
    }
}

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
