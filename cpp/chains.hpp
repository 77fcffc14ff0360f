#pragma once
#include <cstdint>

// Nosé-Hoover chains of `length` links, one for each of `systems` structures. The first link has the mass degrees x mass, all others mass.
namespace adiabat {

struct Chains {
  std::int64_t systems, length;
  const double *mass, *degrees, *twice_kinetic, *thermal;  // systems
};

// Links (systems x length) and what they thermalise, later by the sum of the steps: by how much it is scaled, and what is stored in the
// chains' positions.
void propagate(const Chains &chains, std::int64_t steps, const double *step, double *links, double *factor, double *stored);

}  // namespace adiabat
