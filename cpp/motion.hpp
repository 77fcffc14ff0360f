#pragma once
#include <cstdint>

#include "values.hpp"

// What integrators do to atoms, each in one pass. Sums over the atoms of a structure go from its first to its last, so that they do not
// depend on what else is in the batch.
namespace adiabat {

// Structure s has the atoms start[s] ... start[s + 1] - 1.
struct Members {
  std::int64_t systems;
  const std::int64_t *start;
};

// One matrix (9 numbers) or multiple of the unit matrix (1 number) for each structure.
struct Matrices {
  const double *values;
  std::int64_t numbers;
};

// v + by f / m, by the inverse masses, zero of what never moves.
void kick(std::int64_t atoms, const double *velocities, const double *forces, const double *inverse, double by, double *out);

// x + by (v + w).
void drift(std::int64_t atoms, const double *positions, const double *first, const double *second, double by, double *out);

// x F + by (v + w) G: a drift in a cell that changes.
void carry(const Members &members, const double *positions, const double *first, const double *second, double by, const Matrices &cell,
           const Matrices &way, double *out);

// c + (v - c) F + by f / m G: a kick in a cell that changes.
void drag(const Members &members, const double *velocities, const double *centers, const double *forces, const double *inverse, double by,
          const Matrices &cell, const Matrices &way, double *out);

// Of each structure sum m (v - c) (v - c), 9 numbers or a third of the trace, and c: the velocity of its centre of mass where that moves
// freely, zero elsewhere.
struct Spread {
  std::int64_t numbers;
  double *moments, *centers;
};
void second_moments(const Members &members, const double *masses, const bool *free, const double *velocities, const Spread &out);

// c + (v - c) F, rows times a matrix.
void transform(const Members &members, const double *vectors, const Matrices &matrices, const double *centers, double *out);

// u = decay v + width / sqrt(m) noise, by the inverse roots of masses, and of each structure sum m (u^2 - v^2) with `weights`.
struct Friction {
  double decay;
  Values widths;
};
void rub(const Members &members, const double *velocities, const double *inverse_roots, const double *weights, const double *noise,
         const Friction &friction, double *out, double *gained);

// Of each structure the largest squared length of after - before F (F none: the unit matrix); not a number where one is none.
void furthest_squared(const Members &members, const double *before, const Matrices *matrices, const double *after, double *out);

}  // namespace adiabat
