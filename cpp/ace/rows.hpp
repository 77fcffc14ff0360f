// Rows of the design matrix: what each invariant of each atom gives, and its derivatives. Here the edges of one atom stand in
// the lanes, since every function has its own adjoint of the density and a handful of components.

namespace {

constexpr int tile_functions = 8;

// The derivatives of all Y_lm by the vector of the edge, from the factors of `harmonic_factors`.
inline void harmonic_gradients(const Harmonics<double> &table, const Real<double> *unit, Real<double> inverse_r,
                               const Real<double> *Q, const Real<double> *re, const Real<double> *im,
                               Real<double> (*gradient)[3]) {
  const auto store = [&](int lm, Real<double> x, Real<double> y, Real<double> z) {
    const Real<double> along = x * unit[0] + y * unit[1] + z * unit[2];  // the unit vector changes only across the radius
    gradient[lm][0] = (x - along * unit[0]) * inverse_r;
    gradient[lm][1] = (y - along * unit[1]) * inverse_r;
    gradient[lm][2] = (z - along * unit[2]) * inverse_r;
  };
  const Real<double> zero{};
  for (int l = 0; l <= table.l_max; ++l)
    for (int m = 0; m <= l; ++m) {
      const int lm = l * (l + 1) / 2 + m, center = l * l + l;
      const Real<double> slope = m < l ? table.slope[lm] * Q[lm + 1] : zero;
      if (m == 0) {
        store(center, zero, zero, slope);
        continue;
      }
      const Real<double> a = double(m) * Q[lm] * re[m - 1], b = double(m) * Q[lm] * im[m - 1];
      store(center + m, a, -b, slope * re[m]);
      store(center - m, b, a, slope * im[m]);
    }
}

struct RowScratch {
  double *vector;        // (row, 3)
  std::uint32_t *particle;  // (row,)
  std::int32_t *of;      // (row,)
  std::int64_t *count;   // (species,)
  std::int64_t *group;   // (species + 1,): the groups of edges to one species of neighbour
  std::int64_t *slot;    // (groups, lanes): the neighbouring atom, -1: none
  Real<double> *x, *y, *z;
  Real<double> *R, *S, *Q, *re, *im, *Y;
  Real<double> (*gradient)[3];
  Real<double> *density;    // (species, density)
  double *component;        // (components + 1,): the last is 1
  double *jacobian;         // (pairs,)
  Real<double> *derivative;  // (components, groups, 3)
  Real<double> *tile;        // (tile_functions, groups, 3)
  Real<double> *virial;      // (columns, 6)
};

inline RowScratch carve_rows(const Plan<double> &plan, const FunctionTable &table, std::int64_t longest_row, Arena &arena) {
  const std::size_t lanes = Lane<double>::count, row = longest_row, species = plan.species;
  const std::size_t groups = row / lanes + species;
  const std::size_t degrees = plan.harmonics.l_max + 1, harmonics = degrees * degrees;
  RowScratch s;
  s.vector = arena.take<double>(3 * row + 3);
  s.particle = arena.take<std::uint32_t>(row + 1);
  s.of = arena.take<std::int32_t>(row + 1);
  s.count = arena.take<std::int64_t>(species);
  s.group = arena.take<std::int64_t>(species + 1);
  s.slot = arena.take<std::int64_t>(groups * lanes);
  s.x = arena.take<Real<double>>(groups);
  s.y = arena.take<Real<double>>(groups);
  s.z = arena.take<Real<double>>(groups);
  s.R = arena.take<Real<double>>(plan.radial.count);
  s.S = arena.take<Real<double>>(plan.radial.count);
  s.Q = arena.take<Real<double>>(degrees * (degrees + 1) / 2);
  s.re = arena.take<Real<double>>(degrees);
  s.im = arena.take<Real<double>>(degrees);
  s.Y = arena.take<Real<double>>(harmonics);
  s.gradient = arena.take<Real<double>[3]>(harmonics);
  s.density = arena.take<Real<double>>(species * plan.density);
  s.component = arena.take<double>(table.components + 1);
  s.jacobian = arena.take<double>(table.pairs);
  s.derivative = arena.take<Real<double>>(table.components * groups * 3);
  s.tile = arena.take<Real<double>>(tile_functions * groups * 3);
  s.virial = arena.take<Real<double>>(species * table.functions * 6);
  return s;
}

// The edges of a site in groups of one species of neighbour.
ADIABAT_PHASE void collect_groups(const Plan<double> &plan, const Edges &edges, std::int64_t site, const RowScratch &s) {
  constexpr int lanes = Lane<double>::count;
  for (int z = 0; z < plan.species; ++z) s.count[z] = 0;
  collect_lane(plan, edges, site, s.vector, s.particle, s.of, s.count);
  std::int64_t total = 0;
  s.group[0] = 0;
  for (int z = 0; z < plan.species; ++z) {
    total += s.count[z];
    s.group[z + 1] = s.group[z] + (s.count[z] + lanes - 1) / lanes;
    s.count[z] = s.group[z] * lanes;
  }
  double *x = reinterpret_cast<double *>(s.x), *y = reinterpret_cast<double *>(s.y), *z = reinterpret_cast<double *>(s.z);
  for (std::int64_t place = 0; place < s.group[plan.species] * lanes; ++place) {
    x[place] = y[place] = 0;
    z[place] = 2 * plan.reach;
    s.slot[place] = -1;
  }
  for (std::int64_t e = 0; e < total; ++e) {
    const std::int64_t place = s.count[s.of[e]]++;
    x[place] = s.vector[3 * e];
    y[place] = s.vector[3 * e + 1];
    z[place] = s.vector[3 * e + 2];
    s.slot[place] = edges.particle_atom[s.particle[e]];
  }
}

// The density of the atom, and the derivatives of each component by each edge.
ADIABAT_PHASE void differentiate_density(const Plan<double> &plan, const FunctionTable &table, const Pair<double> *pairs,
                                         const RowScratch &s) {
  const std::int64_t groups = s.group[plan.species];
  const int degrees = plan.harmonics.l_max + 1;
  for (int i = 0; i < plan.species * plan.density; ++i) s.density[i] = Real<double>{};
  for (int z = 0; z < plan.species; ++z)
    for (std::int64_t g = s.group[z]; g < s.group[z + 1]; ++g) {
      const Real<double> r = root(s.x[g] * s.x[g] + s.y[g] * s.y[g] + s.z[g] * s.z[g]), inverse = 1.0 / r;
      const Real<double> unit[3] = {s.x[g] * inverse, s.y[g] * inverse, s.z[g] * inverse};
      radial_functions<double, 1, true>(plan.radial, pairs[z], &r, &inverse, s.R, s.S, 0);
      harmonic_factors<double, 1>(plan.harmonics, unit, unit + 1, unit + 2, s.Q, 0, s.re, s.im, degrees);
      harmonic_values<double>(plan.harmonics.l_max, s.Q, s.re, s.im, s.Y);
      harmonic_gradients(plan.harmonics, unit, inverse, s.Q, s.re, s.im, s.gradient);
      Real<double> *density = s.density + z * plan.density;
      for (int i = 0; i < plan.density; ++i) density[i] += s.R[table.radial[i]] * s.Y[table.harmonic[i]];
      const std::int32_t *start = table.of_density.start + static_cast<std::ptrdiff_t>(z) * table.components;
      for (int u = 0; u < table.components; ++u) {
        Real<double> sum[3] = {};
        for (int e = start[u]; e < start[u + 1]; ++e) {
          const int i = table.of_density.index[e], lm = table.harmonic[i];
          const Real<double> R = table.of_density.weight[e] * s.R[table.radial[i]];
          const Real<double> along = table.of_density.weight[e] * s.S[table.radial[i]] * s.Y[lm];
          for (int d = 0; d < 3; ++d) sum[d] += R * s.gradient[lm][d] + along * unit[d];
        }
        for (int d = 0; d < 3; ++d) s.derivative[(u * groups + g) * 3 + d] = sum[d];
      }
    }
}

// The components, and the derivative of each function by each of its components.
ADIABAT_PHASE void differentiate_functions(const Plan<double> &plan, const FunctionTable &table, const RowScratch &s) {
  constexpr int lanes = Lane<double>::count;
  for (int u = 0; u < table.components; ++u) {
    double sum = 0;
    for (int z = 0; z < plan.species; ++z) {
      const std::int32_t *start = table.of_density.start + static_cast<std::ptrdiff_t>(z) * table.components;
      for (int e = start[u]; e < start[u + 1]; ++e) {
        const Real<double> a = s.density[z * plan.density + table.of_density.index[e]];
        double over_edges = 0;
        for (int lane = 0; lane < lanes; ++lane) over_edges += a[lane];
        sum += table.of_density.weight[e] * over_edges;
      }
    }
    s.component[u] = sum;
  }
  s.component[table.components] = 1;
  for (std::int64_t p = 0; p < table.pairs; ++p) {
    double sum = 0;
    for (std::int64_t t = table.term_start[p]; t < table.term_start[p + 1]; ++t) {
      double product = table.term_weight[t];
      for (int k = 0; k < table.others; ++k) product *= s.component[table.term_factor[t * table.others + k]];
      sum += product;
    }
    s.jacobian[p] = sum;
  }
}

// to[w] = Σ_u jacobian_u derivative[u][w], w < W.
template <int W>
inline void combine(std::int64_t first, std::int64_t last, const std::int32_t *component, const double *jacobian,
                    const Real<double> *derivative, std::int64_t stride, Real<double> *to) {
  Real<double> sum[W];
#pragma GCC unroll 12
  for (int w = 0; w < W; ++w) sum[w] = Real<double>{};
  for (std::int64_t p = first; p < last; ++p) {
    const Real<double> *from = derivative + component[p] * stride;
#pragma GCC unroll 12
    for (int w = 0; w < W; ++w) sum[w] += jacobian[p] * from[w];
  }
#pragma GCC unroll 12
  for (int w = 0; w < W; ++w) to[w] = sum[w];
}

// The derivatives of one function by all edges: (groups, 3).
ADIABAT_PHASE void function_gradients(const FunctionTable &table, int function, std::int64_t groups, const RowScratch &s,
                                      Real<double> *to) {
  const std::int64_t first = table.pair_start[function], last = table.pair_start[function + 1], width = 3 * groups;
  std::int64_t w = 0;
  for (; w + 12 <= width; w += 12)
    combine<12>(first, last, table.pair_component, s.jacobian, s.derivative + w, width, to + w);
  for (; w < width; w += 3) combine<3>(first, last, table.pair_component, s.jacobian, s.derivative + w, width, to + w);
}

// Adds a tile of functions to the rows of the neighbours and of the atom itself.
ADIABAT_PHASE void scatter(std::int64_t atom, std::int64_t groups, int functions, std::int64_t columns,
                           const RowScratch &s, double *forces) {
  constexpr int lanes = Lane<double>::count;
  const double *tile = reinterpret_cast<const double *>(s.tile);
  double own[3][tile_functions] = {};
  for (std::int64_t g = 0; g < groups; ++g)
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t neighbor = s.slot[g * lanes + lane];
      if (neighbor < 0) continue;
      for (int d = 0; d < 3; ++d) {
        const double *from = tile + (g * 3 + d) * lanes + lane;
        double *row = forces + (3 * neighbor + d) * columns;
        for (int f = 0; f < functions; ++f) {
          const double value = from[f * groups * 3 * lanes];
          row[f] -= value;
          own[d][f] += value;
        }
      }
    }
  for (int d = 0; d < 3; ++d)
    for (int f = 0; f < functions; ++f) forces[(3 * atom + d) * columns + f] += own[d][f];
}

inline void add_virial(std::int64_t groups, const RowScratch &s, const Real<double> *gradients, Real<double> *virial) {
  Real<double> sum[6];
  for (int k = 0; k < 6; ++k) sum[k] = virial[k];
  for (std::int64_t g = 0; g < groups; ++g) {
    const Real<double> *f = gradients + 3 * g;
    sum[0] += s.x[g] * f[0];
    sum[1] += s.y[g] * f[1];
    sum[2] += s.z[g] * f[2];
    sum[3] += s.y[g] * f[2];
    sum[4] += s.x[g] * f[2];
    sum[5] += s.x[g] * f[1];
  }
  for (int k = 0; k < 6; ++k) virial[k] = sum[k];
}

std::size_t row_scratch_bytes(const Plan<double> &plan, const FunctionTable &table, std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  carve_rows(plan, table, longest_row, arena);
  return arena.used;
}

void add_rows(const Plan<double> &plan, const FunctionTable &table, const Edges &edges, void *memory,
              const RowOutput &output) {
  constexpr int lanes = Lane<double>::count;
  Arena arena{static_cast<char *>(memory), 0};
  const RowScratch s = carve_rows(plan, table, edges.longest_row, arena);
  const std::int64_t columns = static_cast<std::int64_t>(plan.species) * table.functions;
  for (std::int64_t k = 0; k < 6 * columns; ++k) s.virial[k] = Real<double>{};
  for (std::int64_t site = 0; site < edges.number; ++site) {
    const int center = edges.species[site];
    const std::int64_t atom = edges.atom[site];
    collect_groups(plan, edges, site, s);
    differentiate_density(plan, table, plan.pair + static_cast<std::ptrdiff_t>(center) * plan.species, s);
    differentiate_functions(plan, table, s);
    const std::int64_t groups = s.group[plan.species], first = static_cast<std::int64_t>(center) * table.functions;
    for (int f = 0; f < table.functions; ++f) {
      double sum = 0;  // Euler: a function of that many factors is Σ_u ∂B/∂A_u A_u over their number
      for (std::int64_t p = table.pair_start[f]; p < table.pair_start[f + 1]; ++p)
        sum += s.jacobian[p] * s.component[table.pair_component[p]];
      output.features[atom * table.functions + f] = sum * table.inverse_factors[f];
    }
    for (int f = 0; f < table.functions; f += tile_functions) {
      const int left = table.functions - f, tile = left < tile_functions ? left : tile_functions;
      for (int k = 0; k < tile; ++k) {
        function_gradients(table, f + k, groups, s, s.tile + k * groups * 3);
        add_virial(groups, s, s.tile + k * groups * 3, s.virial + 6 * (first + f + k));
      }
      scatter(atom, groups, tile, columns, s, output.forces + first + f);
    }
  }
  for (std::int64_t k = 0; k < 6 * columns; ++k) {
    double sum = 0;
    for (int lane = 0; lane < lanes; ++lane) sum += s.virial[k][lane];
    output.virial[k] += sum;
  }
}

}  // namespace
