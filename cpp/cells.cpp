#include "cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adiabat {
namespace {

constexpr int SWEEPS = 30;       // of Jacobi's rotations; three or four suffice
constexpr double SMALL = 1e-4;   // below it (exp(x) - 1) / x by its series
constexpr double SMALLEST = 1e-3;  // ratio of the roots of two volumes: what a step is refused for is still a number

double determinant(const double *m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
}

double trace(const double *m, std::int64_t numbers) { return numbers == 1 ? 3 * m[0] : m[0] + m[4] + m[8]; }

// Rows of the adjugate's transpose: cross products of the other two rows.
void faces(const double *m, double *out) {
  for (int i = 0; i < 3; ++i) {
    const double *a = m + 3 * ((i + 1) % 3), *b = m + 3 * ((i + 2) % 3);
    out[3 * i] = a[1] * b[2] - a[2] * b[1];
    out[3 * i + 1] = a[2] * b[0] - a[0] * b[2];
    out[3 * i + 2] = a[0] * b[1] - a[1] * b[0];
  }
}

double length(const double *v) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

// Turns rows and columns p and q of a symmetric matrix until they do not mix, and the columns of the vectors with them.
void rotate(double *a, double *vectors, int p, int q) {
  const double mixed = a[3 * p + q];
  if (mixed == 0) return;
  const double theta = (a[4 * q] - a[4 * p]) / (2 * mixed);
  const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1)), c = 1 / std::sqrt(t * t + 1), s = t * c;
  for (int k = 0; k < 3; ++k) {
    const double kp = a[3 * k + p], kq = a[3 * k + q];
    a[3 * k + p] = c * kp - s * kq;
    a[3 * k + q] = s * kp + c * kq;
  }
  for (int k = 0; k < 3; ++k) {
    const double pk = a[3 * p + k], qk = a[3 * q + k];
    a[3 * p + k] = c * pk - s * qk;
    a[3 * q + k] = s * pk + c * qk;
    const double vp = vectors[3 * k + p], vq = vectors[3 * k + q];
    vectors[3 * k + p] = c * vp - s * vq;
    vectors[3 * k + q] = s * vp + c * vq;
  }
  a[3 * p + q] = a[3 * q + p] = 0;
}

// Eigenvalues, and eigenvectors in columns, of a symmetric matrix; Jacobi's method.
void diagonalise(const double *matrix, double *values, double *vectors) {
  double a[9];
  for (int k = 0; k < 9; ++k) {
    a[k] = 0.5 * (matrix[k] + matrix[3 * (k % 3) + k / 3]);
    vectors[k] = k % 4 == 0;
  }
  for (int sweep = 0; sweep < SWEEPS && (a[1] != 0 || a[2] != 0 || a[5] != 0); ++sweep) {
    rotate(a, vectors, 0, 1);
    rotate(a, vectors, 0, 2);
    rotate(a, vectors, 1, 2);
  }
  for (int k = 0; k < 3; ++k) values[k] = a[4 * k];
}

double mean_exponential(double x) { return std::abs(x) < SMALL ? 1 + x / 2 + x * x / 6 : std::expm1(x) / x; }

void composed(const double *vectors, const double *values, double *out) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      double sum = 0;
      for (int k = 0; k < 3; ++k) sum += vectors[3 * i + k] * values[k] * vectors[3 * j + k];
      out[3 * i + j] = sum;
    }
}

// The kinetic tensor less V times the stress, as many numbers as the kinetic one has: V times the internal pressure.
void internal(const Inside &inside, std::int64_t s, std::int64_t numbers, double *out) {
  const double *kinetic = inside.kinetic + numbers * s, *stress = inside.stress + 9 * s;
  if (numbers == 1) {
    out[0] = kinetic[0] - inside.volume[s] * trace(stress, 9) / 3;
    return;
  }
  for (int k = 0; k < 9; ++k) out[k] = kinetic[k] - 0.5 * inside.volume[s] * (stress[k] + stress[3 * (k % 3) + k / 3]);
}

// Adds the part without a trace of the pull of the pressures and the noise of a flexible cell.
void add_shape(const double *pull, double factor, double width, const double *noise, double *out) {
  const double root = std::sqrt(0.5);
  const double random[9] = {noise[0], root * noise[3], root * noise[4], root * noise[3], noise[1],
                            root * noise[5], root * noise[4], root * noise[5], noise[2]};
  double made[9];
  for (int k = 0; k < 9; ++k) made[k] = factor * pull[k] + width * random[k];
  const double third = trace(made, 9) / 3;
  for (int k = 0; k < 9; ++k) out[k] += made[k] - (k % 4 == 0 ? third : 0);
}

// tr(S K S) - tr K.
double grown(const double *shrink, const double *kinetic, std::int64_t numbers) {
  if (numbers == 1) return 3 * kinetic[0] * (shrink[0] * shrink[0] - 1);
  double sum = -trace(kinetic, 9);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) sum += shrink[3 * i + j] * kinetic[3 * j + k] * shrink[3 * k + i];
  return sum;
}

// V strain : stress.
double work(const double *strain, std::int64_t numbers, const Stresses &stresses, std::int64_t s) {
  const double *stress = stresses.stress + 9 * s;
  if (numbers == 1) return stresses.volume[s] * strain[0] * trace(stress, 9);
  double sum = 0;
  for (int k = 0; k < 9; ++k) sum += strain[k] * stress[k];
  return stresses.volume[s] * sum;
}

}  // namespace

void volumes(std::int64_t systems, const double *cells, double *out) {
  for (std::int64_t s = 0; s < systems; ++s) out[s] = std::abs(determinant(cells + 9 * s));
}

void thicknesses(std::int64_t systems, const double *cells, const double *before, double *out) {
  for (std::int64_t s = 0; s < systems; ++s) {
    double normal[9];
    faces(cells + 9 * s, normal);
    const double largest = std::max({length(normal), length(normal + 3), length(normal + 6)});
    out[s] = determinant(cells + 9 * s) / largest * (determinant(before + 9 * s) < 0 ? -1 : 1);
  }
}

void deformations(std::int64_t systems, const double *reference, const double *cells, double flat, double *out, double *change) {
  for (std::int64_t s = 0; s < systems; ++s) {
    const double *h = reference + 9 * s, *g = cells + 9 * s;
    double *f = out + 9 * s;
    for (int k = 0; k < 9; ++k) f[k] = k % 4 == 0;
    change[s] = 0;
    if (std::equal(h, h + 9, g)) continue;
    const double volume = determinant(h);
    double normal[9], sum = 0;
    faces(h, normal);
    const bool spans = std::abs(volume) > flat * length(h) * length(h + 3) * length(h + 6);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {  // F - 1 = h^-1 (g - h): what is small is not a difference of what is large
        double moved = 0;
        for (int k = 0; k < 3; ++k) moved += normal[3 * k + i] * (g[3 * k + j] - h[3 * k + j]);
        moved = spans ? moved / volume : std::numeric_limits<double>::quiet_NaN();
        f[3 * i + j] += moved;
        sum += moved * moved;
      }
    change[s] = std::sqrt(sum);
  }
}

void exponentials(std::int64_t systems, std::int64_t numbers, const double *matrices, double *out, double *mean) {
  for (std::int64_t s = 0; s < systems; ++s) {
    const double *matrix = matrices + numbers * s;
    if (numbers == 1) {
      out[s] = std::exp(matrix[0]);
      mean[s] = mean_exponential(matrix[0]);
      continue;
    }
    double values[3], vectors[9], exponential[3], averaged[3];
    diagonalise(matrix, values, vectors);
    for (int k = 0; k < 3; ++k) {
      exponential[k] = std::exp(values[k]);
      averaged[k] = mean_exponential(values[k]);
    }
    composed(vectors, exponential, out + 9 * s);
    composed(vectors, averaged, mean + 9 * s);
  }
}

void rescaling_strains(std::int64_t systems, std::int64_t numbers, const Inside &inside, const Rescaling &rescaling, const double *noise,
                       double *out) {
  const double mobility = rescaling.compressibility * rescaling.rate;
  for (std::int64_t s = 0; s < systems; ++s) {
    const double volume = inside.volume[s], thermal = inside.thermal[s], root = std::sqrt(volume);
    const double *own = noise + (numbers == 1 ? 1 : 7) * s;
    double pull[9];
    internal(inside, s, numbers, pull);
    const double excess = trace(pull, numbers) / (3 * volume) - inside.pressure[s];
    const double moved = 0.5 * mobility * root * (excess + thermal / (2 * volume)) + std::sqrt(0.5 * thermal * mobility) * own[0];
    const double size = 2.0 / 3 * std::log(std::max(1 + moved / root, SMALLEST));
    double *strain = out + numbers * s;
    for (std::int64_t k = 0; k < numbers; ++k) strain[k] = k % 4 == 0 ? size : 0;
    if (numbers == 9) add_shape(pull, mobility / (3 * volume), std::sqrt(2 * thermal * mobility / (3 * volume)), own + 1, strain);
  }
}

void strain_heat(std::int64_t systems, std::int64_t numbers, const double *strain, const double *shrink, const double *kinetic,
                 const Stresses &before, const Stresses &after, double *out) {
  for (std::int64_t s = 0; s < systems; ++s) {
    const double *own = strain + numbers * s;
    const double gained = grown(shrink + numbers * s, kinetic + numbers * s, numbers);
    out[s] = 0.5 * (gained + work(own, numbers, before, s) + work(own, numbers, after, s));
  }
}

void cell_forces(std::int64_t systems, std::int64_t numbers, const Inside &inside, const double *degrees, double *out) {
  for (std::int64_t s = 0; s < systems; ++s) {
    double *force = out + numbers * s;
    internal(inside, s, numbers, force);
    const double on_unit = trace(inside.kinetic + numbers * s, numbers) / degrees[s] - inside.pressure[s] * inside.volume[s];
    for (std::int64_t k = 0; k < numbers; ++k) force[k] += k % 4 == 0 ? on_unit : 0;
  }
}

}  // namespace adiabat
