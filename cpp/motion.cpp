#include "motion.hpp"

#include <cmath>

namespace adiabat {
namespace {

struct Vector {
  double x, y, z;
};

Vector at(const double *vectors, std::int64_t atom) { return {vectors[3 * atom], vectors[3 * atom + 1], vectors[3 * atom + 2]}; }

void put(double *vectors, std::int64_t atom, const Vector &v) {
  vectors[3 * atom] = v.x;
  vectors[3 * atom + 1] = v.y;
  vectors[3 * atom + 2] = v.z;
}

Vector sum(const Vector &v, const Vector &w) { return {v.x + w.x, v.y + w.y, v.z + w.z}; }

double squared(const Vector &v) { return v.x * v.x + v.y * v.y + v.z * v.z; }

// Matrix of a structure.
struct Matrix {
  const double *a;
  Vector times(const Vector &v) const {
    return {v.x * a[0] + v.y * a[3] + v.z * a[6], v.x * a[1] + v.y * a[4] + v.z * a[7], v.x * a[2] + v.y * a[5] + v.z * a[8]};
  }
};

// Multiple of the unit matrix.
struct Scale {
  double a;
  Vector times(const Vector &v) const { return {a * v.x, a * v.y, a * v.z}; }
};

// Calls a function with the matrix of a structure, as what it is.
template <class Function>
void with_matrix(const Matrices &matrices, std::int64_t system, const Function &function) {
  if (matrices.numbers == 9)
    function(Matrix{matrices.values + 9 * system});
  else
    function(Scale{matrices.values[system]});
}

// For each structure a function of its number and its two matrices.
template <class Function>
void with_matrices(const Members &members, const Matrices &first, const Matrices &second, const Function &function) {
  for (std::int64_t s = 0; s < members.systems; ++s)
    with_matrix(first, s, [&](const auto &one) { with_matrix(second, s, [&](const auto &other) { function(s, one, other); }); });
}

// Of the velocities of some atoms, by mass.
Vector mean(const double *masses, const double *velocities, std::int64_t begin, std::int64_t end) {
  Vector momentum{0, 0, 0};
  double total = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const Vector v = at(velocities, i);
    momentum = {momentum.x + masses[i] * v.x, momentum.y + masses[i] * v.y, momentum.z + masses[i] * v.z};
    total += masses[i];
  }
  return {momentum.x / total, momentum.y / total, momentum.z / total};
}

}  // namespace

void kick(std::int64_t atoms, const double *velocities, const double *forces, const double *inverse, double by, double *out) {
  for (std::int64_t i = 0; i < atoms; ++i) {
    const double factor = by * inverse[i];
    for (std::int64_t k = 3 * i; k < 3 * i + 3; ++k) out[k] = velocities[k] + factor * forces[k];
  }
}

void drift(std::int64_t atoms, const double *positions, const double *first, const double *second, double by, double *out) {
  for (std::int64_t k = 0; k < 3 * atoms; ++k) out[k] = positions[k] + by * (first[k] + second[k]);
}

void carry(const Members &members, const double *positions, const double *first, const double *second, double by, const Matrices &cell,
           const Matrices &way, double *out) {
  with_matrices(members, cell, way, [&](std::int64_t s, const auto &deformed, const auto &along) {
    for (std::int64_t i = members.start[s]; i < members.start[s + 1]; ++i) {
      const Vector v = at(first, i), w = at(second, i);
      put(out, i, sum(deformed.times(at(positions, i)), along.times({by * (v.x + w.x), by * (v.y + w.y), by * (v.z + w.z)})));
    }
  });
}

void drag(const Members &members, const double *velocities, const double *centers, const double *forces, const double *inverse, double by,
          const Matrices &cell, const Matrices &way, double *out) {
  with_matrices(members, cell, way, [&](std::int64_t s, const auto &deformed, const auto &along) {
    const Vector c = at(centers, s);
    for (std::int64_t i = members.start[s]; i < members.start[s + 1]; ++i) {
      const Vector v = at(velocities, i), f = at(forces, i);
      const double factor = by * inverse[i];
      const Vector kick = along.times({factor * f.x, factor * f.y, factor * f.z});
      put(out, i, sum(c, sum(deformed.times({v.x - c.x, v.y - c.y, v.z - c.z}), kick)));
    }
  });
}

void second_moments(const Members &members, const double *masses, const bool *free, const double *velocities, const Spread &out) {
  for (std::int64_t s = 0; s < members.systems; ++s) {
    const std::int64_t begin = members.start[s], end = members.start[s + 1];
    const Vector c = free[s] ? mean(masses, velocities, begin, end) : Vector{0, 0, 0};
    double xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const Vector v = at(velocities, i);
      const double x = v.x - c.x, y = v.y - c.y, z = v.z - c.z, m = masses[i];
      xx += m * x * x;
      yy += m * y * y;
      zz += m * z * z;
      xy += m * x * y;
      xz += m * x * z;
      yz += m * y * z;
    }
    const double all[9] = {xx, xy, xz, xy, yy, yz, xz, yz, zz};
    if (out.numbers == 1) out.moments[s] = (xx + yy + zz) / 3;
    for (int k = 0; k < 9 && out.numbers == 9; ++k) out.moments[9 * s + k] = all[k];
    put(out.centers, s, c);
  }
}

void transform(const Members &members, const double *vectors, const Matrices &matrices, const double *centers, double *out) {
  for (std::int64_t s = 0; s < members.systems; ++s)
    with_matrix(matrices, s, [&](const auto &matrix) {
      const Vector c = at(centers, s);
      for (std::int64_t i = members.start[s]; i < members.start[s + 1]; ++i) {
        const Vector v = at(vectors, i);
        put(out, i, sum(c, matrix.times({v.x - c.x, v.y - c.y, v.z - c.z})));
      }
    });
}

void rub(const Members &members, const double *velocities, const double *inverse_roots, const double *weights, const double *noise,
         const Friction &friction, double *out, double *gained) {
  for (std::int64_t s = 0; s < members.systems; ++s) {
    double sum = 0;
    for (std::int64_t i = members.start[s]; i < members.start[s + 1]; ++i) {
      const double width = friction.widths[s] * inverse_roots[i];
      double gain = 0;
      for (std::int64_t k = 3 * i; k < 3 * i + 3; ++k) {
        out[k] = friction.decay * velocities[k] + width * noise[k];
        gain += (out[k] - velocities[k]) * (out[k] + velocities[k]);
      }
      sum += weights[i] * gain;
    }
    gained[s] = sum;
  }
}

void furthest_squared(const Members &members, const double *before, const Matrices *matrices, const double *after, double *out) {
  for (std::int64_t s = 0; s < members.systems; ++s) {
    const auto look = [&](const auto &carried) {
      double furthest = 0;
      for (std::int64_t i = members.start[s]; i < members.start[s + 1]; ++i) {
        const Vector from = carried(at(before, i)), to = at(after, i);
        const double length = squared({to.x - from.x, to.y - from.y, to.z - from.z});
        furthest = length > furthest || std::isnan(length) ? length : furthest;
        if (std::isnan(furthest)) break;
      }
      out[s] = furthest;
    };
    if (!matrices)
      look([](const Vector &v) { return v; });
    else
      with_matrix(*matrices, s, [&](const auto &matrix) { look([&](const Vector &v) { return matrix.times(v); }); });
  }
}

}  // namespace adiabat
