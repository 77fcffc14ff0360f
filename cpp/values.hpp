#pragma once
#include <cstdint>

namespace adiabat {

// One value for each structure, or one for all.
struct Values {
  const double *values;
  std::int64_t count;
  double operator[](std::int64_t system) const { return values[count == 1 ? 0 : system]; }
};

}  // namespace adiabat
