#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "ace/plan.hpp"
#include "edge_list.hpp"

namespace adiabat::ace {

// What is computed; a null pointer is not wanted.
struct Request {
  double *energies;        // (atoms,) eV
  double *nearest;         // (atoms,) Å², of the nearest edge
  double *forces;          // (atoms, 3) eV/Å
  double *virials;         // (atoms, 6) eV, xx yy zz yz xz xy: Σ_j r_ij ⊗ ∂E_i/∂r_ij; its sum is V σ; needs forces
  double *atomic_virials;  // (atoms, 3, 3) eV: Σ_j r_ij ⊗ ∂E_j/∂r_ji, r_ij = r_j - r_i; its sum is -V σ; needs forces
};

struct Configuration {
  const double *positions;      // (atoms, 3) Å
  const double *cells;          // (systems, 3, 3) Å
  const std::int32_t *species;  // (atoms,)
};

// Throws std::invalid_argument where a position or a cell is not finite, or a species not one of so many.
void require_usable(const EdgeList &edges, const Configuration &configuration, std::int32_t species);

// A plan in both floating-point types, with memory that is kept from call to call.
class Evaluator {
 public:
  explicit Evaluator(const PlanSource &source);

  std::int32_t species() const { return in_double_.view().species; }

  // Evaluates on at most `threads` threads; the result does not depend on their number.
  // Throws std::invalid_argument: a position that is not finite, a species out of range, an unknown instruction set.
  void evaluate(const EdgeList &edges, const Configuration &configuration, const Request &request, bool single,
                int threads, const std::string &instruction_set);

 private:
  // Memory that one call uses at a time; a second call meanwhile gets memory of its own.
  struct Memory {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  Memory borrow(std::size_t size);
  void give_back(Memory memory);
  template <class T>
  void run(const PlanTables<T> &plan, const Kernel<T> &kernel, const EdgeList &edges,
           const Configuration &configuration, const Request &request, int threads);

  PlanTables<double> in_double_;
  PlanTables<float> in_single_;
  std::mutex mutex_;
  Memory kept_;
};

}  // namespace adiabat::ace
