#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ace/views.hpp"
#include "edge_list.hpp"
#include "thread_pool.hpp"

namespace adiabat::ace {

// What is computed, for each of `members` energies of an atom; a null pointer is not wanted.
struct Request {
  std::int32_t members;
  double *energies;        // (atoms, members) eV
  double *nearest;         // (atoms,) Å², of the nearest edge
  double *forces;          // (atoms, members, 3) eV/Å
  double *virials;         // (atoms, members, 6) eV, xx yy zz yz xz xy: Σ_j r_ij ⊗ ∂E_i/∂r_ij; its sum is V σ; needs forces
  double *atomic_virials;  // (atoms, members, 3, 3) eV: Σ_j r_ij ⊗ ∂E_j/∂r_ji, r_ij = r_j - r_i; its sum is -V σ; needs forces
};

struct Configuration {
  const double *positions;      // (atoms, 3) Å
  const double *cells;          // (systems, 3, 3) Å
  const std::int32_t *species;  // (atoms,)
};

// Throws std::invalid_argument where a position or a cell is not finite, or a species not one of so many.
void require_usable(const EdgeList &edges, const Configuration &configuration, std::int32_t species);

// Atoms in blocks of one species, -1 where a block is not full. Within a stretch of atoms those with alike numbers of edges
// stand together, so that few lanes wait for others.
std::vector<std::int64_t> blocks(const EdgeList &edges, const std::int32_t *species, std::int32_t n_species, int lanes);

// Takes the edges that end at each atom of [first, last) off its own, in a fixed order.
template <class T>
void gather(const EdgeList &edges, const Edges &view, const T *gradients, const Request &request, std::int64_t first,
            std::int64_t last);

// Runs a walk over the blocks of all atoms on several threads, in memory that is kept from call to call.
class Scheduler {
 public:
  // Calls walk(view, order, first block, last block, scratch, edge gradients) for all blocks, then gathers forces.
  // scratch_bytes(view) is what one thread needs. The result does not depend on the number of threads.
  // Throws std::invalid_argument: no threads, and as require_usable.
  template <class T, class ScratchBytes, class Walk>
  void run(const EdgeList &edges, const Configuration &configuration, const Request &request, std::int32_t species,
           int lanes, int threads, const ScratchBytes &scratch_bytes, const Walk &walk);

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

template <class T, class ScratchBytes, class Walk>
void Scheduler::run(const EdgeList &edges, const Configuration &configuration, const Request &request,
                    std::int32_t species, int lanes, int threads, const ScratchBytes &scratch_bytes, const Walk &walk) {
  constexpr std::int64_t blocks_of_task = 2, atoms_of_task = 256;
  if (threads < 1) throw std::invalid_argument("threads must be positive");
  require_usable(edges, configuration, species);
  const std::vector<double> offsets = edges.offsets(configuration.cells);
  const Edges view{edges.atoms(),         edges.start.data(),      edges.neighbor.data(), edges.image.data(),
                   offsets.data(),        configuration.positions, configuration.species, edges.longest_row()};
  const auto order = blocks(edges, configuration.species, species, lanes);
  const std::int64_t n_blocks = static_cast<std::int64_t>(order.size()) / lanes;
  const std::int64_t tasks = (n_blocks + blocks_of_task - 1) / blocks_of_task;
  threads = static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, tasks)));
  const std::size_t scratch = aligned(scratch_bytes(view));
  const std::size_t gradients =
      request.forces ? aligned(3 * static_cast<std::size_t>(request.members) *
                               (static_cast<std::size_t>(edges.edges()) + 1) * sizeof(T))
                     : 0;
  Memory memory = borrow(alignment + gradients + static_cast<std::size_t>(threads) * scratch);
  char *base = reinterpret_cast<char *>(aligned(reinterpret_cast<std::size_t>(memory.bytes.get())));
  T *edge_gradients = reinterpret_cast<T *>(base);
  for_each_task(tasks, threads, [&](std::int64_t task, int worker) {
    const std::int64_t first = task * blocks_of_task;
    walk(view, order.data(), first, std::min(first + blocks_of_task, n_blocks),
         base + gradients + static_cast<std::size_t>(worker) * scratch, edge_gradients);
  });
  if (request.forces)
    for_each_task((edges.atoms() + atoms_of_task - 1) / atoms_of_task, threads, [&](std::int64_t task, int) {
      const std::int64_t first = task * atoms_of_task;
      gather(edges, view, edge_gradients, request, first, std::min(first + atoms_of_task, edges.atoms()));
    });
  give_back(std::move(memory));
}

}  // namespace adiabat::ace
