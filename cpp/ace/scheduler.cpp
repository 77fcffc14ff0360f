#include "ace/scheduler.hpp"

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
