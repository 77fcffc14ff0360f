#pragma once
#include <cstdint>

#include "values.hpp"

// What thermostats of whole structures do to their velocities: by what these are scaled.
namespace adiabat {

// Stochastic velocity rescaling (Bussi, Donadio and Parrinello 2007): the factor of the velocities of each structure, 1 where nothing moves.
// `kept` is exp(-h / tau), `first` a normal number and `rest` the sum of the squares of all others.
void rescale(std::int64_t systems, const double *kinetic, Values thermal, double kept, const double *first, const double *rest, double *out);

// Nosé-Hoover chains of `length` links, one for each of `systems` structures. The first link has the mass degrees x mass, all others mass.
struct Chains {
  std::int64_t systems, length;
  const double *mass, *degrees, *twice_kinetic;  // systems
  Values thermal;
};

// Links (systems x length) and what they thermalise, later by the sum of the steps: by how much it is scaled, and what is stored in the
// chains' positions.
void propagate(const Chains &chains, std::int64_t steps, const double *step, double *links, double *factor, double *stored);

}  // namespace adiabat
