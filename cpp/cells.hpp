#pragma once
#include <cstdint>

#include "values.hpp"

// Arithmetic of what a barostat does to cells, one structure after the other. Matrices of a structure are full, 9 numbers, or multiples of
// the unit matrix, 1 number: `numbers` says which. Those of strains and stresses are symmetric.
namespace adiabat {

// |det|, of each cell.
void volumes(std::int64_t systems, const double *cells, double *out);

// The distance of the closest two faces of each cell, negative where its handedness is not that of `before`.
void thicknesses(std::int64_t systems, const double *cells, const double *before, double *out);

// F with cell = reference F, and the Frobenius norm of F - 1. The unit matrix where the two are equal; no numbers where the reference has
// a volume of at most `flat` times the product of its lengths.
void deformations(std::int64_t systems, const double *reference, const double *cells, double flat, double *out, double *change);

// exp(A), and (exp(A) - 1) / A, the mean of the exponential over the way to A.
void exponentials(std::int64_t systems, std::int64_t numbers, const double *matrices, double *out, double *mean);

// What of pressures makes a cell change: sums over atoms and what is asked for.
struct Inside {
  const double *kinetic;  // sum m v v, energies; of multiples of the unit matrix a third of the trace
  const double *stress;   // 9 numbers, energies per volume
  const double *volume;
  Values pressure, thermal;
};

// Stochastic cell rescaling: strains of one step (see simulate/cell_rescaling.py). `rate` is step / time constant; `noise` has 1 number
// for a multiple of the unit matrix, 7 for a full one.
struct Rescaling {
  double compressibility, rate;
};
void rescaling_strains(std::int64_t systems, std::int64_t numbers, const Inside &inside, const Rescaling &rescaling, const double *noise,
                       double *out);

// What atoms gain by strains: kinetic energy by `shrink`, work by the mean of the stresses before and after, each times its volume.
struct Stresses {
  const double *stress, *volume;
};
void strain_heat(std::int64_t systems, std::int64_t numbers, const double *strain, const double *shrink, const double *kinetic,
                 const Stresses &before, const Stresses &after, double *out);

// The force on the velocity of a cell (Martyna, Tobias and Klein): V (P - P0) + 2 K / f, its trace alone or all of it.
void cell_forces(std::int64_t systems, std::int64_t numbers, const Inside &inside, const double *degrees, double *out);

}  // namespace adiabat
