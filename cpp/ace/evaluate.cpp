#include "ace/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "instruction_set.hpp"
#include "thread_pool.hpp"

namespace adiabat::ace {
namespace {

constexpr std::size_t alignment = 128;

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

// Atoms in blocks of one species, -1 where a block is not full. Within a stretch of atoms those with alike numbers of edges
// stand together, so that few lanes wait for others.
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

// Takes the edges that end at each atom off its own, in a fixed order.
template <class T>
void gather(const EdgeList &edges, const Edges &view, const T *gradients, const Request &request, std::int64_t first,
            std::int64_t last) {
  for (std::int64_t a = first; a < last; ++a) {
    double sum[3] = {0, 0, 0}, virial[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    const auto begin = edges.ending_start[static_cast<std::size_t>(a)];
    const auto end = edges.ending_start[static_cast<std::size_t>(a) + 1];
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t e = edges.ending[static_cast<std::size_t>(k)];
      const T *gradient = gradients + 3 * e;
      for (int d = 0; d < 3; ++d) sum[d] += gradient[d];
      if (!request.atomic_virials) continue;
      const double *center = view.positions + 3 * edges.center_of(e), *offset = view.offset + 3 * view.image[e];
      for (int d = 0; d < 3; ++d) {
        const double towards = center[d] - view.positions[3 * a + d] - offset[d];  // from this atom to the centre
        for (int b = 0; b < 3; ++b) virial[3 * d + b] += towards * gradient[b];
      }
    }
    for (int d = 0; d < 3; ++d) request.forces[3 * a + d] -= sum[d];
    if (request.atomic_virials) std::copy(virial, virial + 9, request.atomic_virials + 9 * a);
  }
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

Evaluator::Evaluator(const PlanSource &source) : in_double_((require_sound(source), source)), in_single_(source) {}

Evaluator::Memory Evaluator::borrow(std::size_t size) {
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

void Evaluator::give_back(Memory memory) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (memory.size > kept_.size) std::swap(memory, kept_);
}

template <class T>
void Evaluator::run(const PlanTables<T> &tables, const Kernel<T> &kernel, const EdgeList &edges,
                    const Configuration &configuration, const Request &request, int threads) {
  constexpr std::int64_t blocks_of_task = 2, atoms_of_task = 256;
  const Plan<T> &plan = tables.view();
  const std::vector<double> offsets = edges.offsets(configuration.cells);
  const Edges view{edges.atoms(),         edges.start.data(),      edges.neighbor.data(), edges.image.data(),
                   offsets.data(),        configuration.positions, configuration.species, edges.longest_row()};
  const auto order = blocks(edges, configuration.species, plan.species, kernel.lanes);
  const std::int64_t n_blocks = static_cast<std::int64_t>(order.size()) / kernel.lanes;
  const std::int64_t tasks = (n_blocks + blocks_of_task - 1) / blocks_of_task;
  threads = static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(threads, tasks)));
  const std::size_t scratch = aligned(kernel.scratch_bytes(plan, view));
  const std::size_t gradients =
      request.forces ? aligned(3 * (static_cast<std::size_t>(edges.edges()) + 1) * sizeof(T)) : 0;
  Memory memory = borrow(alignment + gradients + static_cast<std::size_t>(threads) * scratch);
  char *base = reinterpret_cast<char *>(aligned(reinterpret_cast<std::size_t>(memory.bytes.get())));
  T *edge_gradients = reinterpret_cast<T *>(base);
  const Output<T> output{request.energies, request.nearest, request.forces, edge_gradients, request.virials};
  for_each_task(tasks, threads, [&](std::int64_t task, int worker) {
    const std::int64_t first = task * blocks_of_task;
    kernel.evaluate(plan, view, order.data(), first, std::min(first + blocks_of_task, n_blocks),
                    base + gradients + static_cast<std::size_t>(worker) * scratch, output);
  });
  if (request.forces)
    for_each_task((edges.atoms() + atoms_of_task - 1) / atoms_of_task, threads, [&](std::int64_t task, int) {
      const std::int64_t first = task * atoms_of_task;
      gather(edges, view, edge_gradients, request, first, std::min(first + atoms_of_task, edges.atoms()));
    });
  give_back(std::move(memory));
}

void Evaluator::evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single,
                         int threads, const std::string &name) {
  if (threads < 1) throw std::invalid_argument("threads must be positive");
  require_usable(edges, configuration, species());
  const InstructionSet &set = instruction_set(name);
  if (single)
    run(in_single_, set.in_single, edges, configuration, request, threads);
  else
    run(in_double_, set.in_double, edges, configuration, request, threads);
}

}  // namespace adiabat::ace
