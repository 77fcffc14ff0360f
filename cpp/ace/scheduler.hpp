#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "ace/frame.hpp"
#include "ace/views.hpp"
#include "edge_list.hpp"
#include "thread_pool.hpp"

namespace adiabat::ace {

// What is computed, for each of `members` energies of an atom; a null pointer is not wanted, and virials need forces.
struct Request {
  std::int32_t members;
  double *energies;        // (atoms, members) eV
  double *nearest;         // (atoms,) Å², of the nearest edge
  double *forces;          // (atoms, members, 3) eV/Å
  double *atomic_virials;  // (atoms, members, 3, 3) eV: Σ_j r_ij ⊗ ∂E_j/∂r_ji, r_ij = r_j - r_i; its sum is -V σ
  double *system_energies;  // (systems, members) eV
  double *system_virials;   // (systems, members, 3, 3) eV: V σ
};

// Where a walk writes what is summed afterwards.
struct Collected {
  double *virials;  // (atoms, members, 6) eV, xx yy zz yz xz xy: Σ_j r_ij ⊗ ∂E_i/∂r_ij, or null
  double *pulls;    // (particles, members, 3): Σ ∂E/∂r over the edges that end there, or null
  double *twists;   // (particles, members, 3, 3): Σ -r ⊗ ∂E/∂r, or null
};

// Takes off the forces of a window's atoms what their images have collected, and sums their virials.
void gather(const EdgeList &list, std::size_t window, const Collected &collected, const Request &request);

// Sums over the atoms of each system, in their order.
void sum_systems(const EdgeList &list, const Collected &collected, const Request &request, int threads);

// Runs a walk over the windows on several threads, in memory that is kept from call to call.
class Scheduler {
 public:
  // Calls walk(edges, order, blocks, scratch, collected) for all windows, then gathers forces.
  // scratch_bytes is what one walk needs. The result does not depend on the number of threads.
  // Throws std::invalid_argument: no threads, and as require_usable.
  template <class Walk>
  void run(const EdgeList &list, const Configuration &configuration, const Request &request, std::int32_t species,
           int lanes, int threads, std::size_t scratch_bytes, const Walk &walk);

 private:
  // Memory that one call uses at a time; a second call meanwhile gets memory of its own.
  struct Memory {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t alignment = 128;
  static std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }
  Memory borrow(std::size_t size);
  void give_back(Memory memory);

  std::mutex mutex_;
  Memory kept_;
};

template <class Walk>
void Scheduler::run(const EdgeList &list, const Configuration &configuration, const Request &request,
                    std::int32_t species, int lanes, int threads, std::size_t scratch_bytes, const Walk &walk) {
  if (threads < 1) throw std::invalid_argument("threads must be positive");
  require_usable(list, configuration, species);
  const auto windows = static_cast<std::int64_t>(list.windows().size());
  threads = static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, windows)));
  const std::size_t scratch = aligned(scratch_bytes), frame = aligned(Frame::bytes(list, species, lanes));
  const std::size_t members = static_cast<std::size_t>(request.members);
  const std::size_t of_atoms = members * static_cast<std::size_t>(list.atoms()) * sizeof(double);
  const std::size_t of_particles = members * static_cast<std::size_t>(list.particles()) * sizeof(double);
  const std::size_t virials = request.system_virials ? aligned(6 * of_atoms) : 0;
  const std::size_t pulls = request.forces ? aligned(3 * of_particles) : 0;
  const std::size_t twists = request.atomic_virials ? aligned(9 * of_particles) : 0;
  const std::size_t results = virials + pulls + twists;
  Memory memory = borrow(alignment + results + static_cast<std::size_t>(threads) * (scratch + frame));
  char *base = reinterpret_cast<char *>(aligned(reinterpret_cast<std::size_t>(memory.bytes.get())));
  const auto piece = [base](std::size_t bytes, std::size_t first) {
    return bytes ? reinterpret_cast<double *>(base + first) : nullptr;
  };
  const Collected all{piece(virials, 0), piece(pulls, virials), piece(twists, virials + pulls)};
  for_each_task(windows, threads, [&](std::int64_t task, int worker) {
    char *own = base + results + static_cast<std::size_t>(worker) * (scratch + frame);
    const auto window = static_cast<std::size_t>(task);
    const std::size_t first = members * static_cast<std::size_t>(list.first_particle(window));
    const std::size_t count = members * static_cast<std::size_t>(list.windows()[window].particles());
    Frame shown(list, configuration, species, lanes, own + scratch);
    shown.show(window);
    Collected here{all.virials, nullptr, nullptr};
    if (all.pulls) std::fill_n(here.pulls = all.pulls + 3 * first, 3 * count, 0.0);
    if (all.twists) std::fill_n(here.twists = all.twists + 9 * first, 9 * count, 0.0);
    walk(shown.edges(), shown.order(), shown.blocks(), own, here);
  });
  if (request.forces)
    for_each_task(windows, threads,
                  [&](std::int64_t task, int) { gather(list, static_cast<std::size_t>(task), all, request); });
  sum_systems(list, all, request, threads);
  give_back(std::move(memory));
}

}  // namespace adiabat::ace
