// The walk over a block of atoms, one in each lane: edges, density, products and their adjoint, edge gradients.

namespace {

// Hands out aligned pieces of one allocation; with a null start it only counts.
struct Arena {
  char *start;
  std::size_t used;
  template <class V>
  V *take(std::size_t count) {
    V *piece = start ? reinterpret_cast<V *>(start + used) : nullptr;
    used += (count * sizeof(V) + 127) / 128 * 128;
    return piece;
  }
};

template <class T>
struct Scratch {
  // Edges of the block by slot: those to one species of neighbour stand together, slot_start[z] ... slot_start[z+1]-1.
  std::int64_t *slot_start;
  Real<T> *x, *y, *z;
  std::int64_t *edge;  // (slots, lanes)
  // Edges of one lane.
  T *lane_vector;
  std::int64_t *lane_edge;
  std::int32_t *lane_species;
  std::int64_t *lane_count;  // (lanes, species)
  std::int64_t *cursor;
  // A chunk of edges.
  Real<T> *R, *S, *Y, *Q, *re, *im, *by_value, *by_slope;
  // The block.
  Real<T> *density, *value, *adjoint;
};

template <class T>
inline Scratch<T> carve(const Plan<T> &plan, const Edges &edges, Arena &arena) {
  const std::size_t lanes = Lane<T>::count, species = plan.species, row = edges.longest_row;
  const std::size_t slots = row * (species < lanes ? species : lanes);
  const std::size_t degrees = plan.harmonics.l_max + 1, harmonics = degrees * degrees;
  std::size_t values = 0;
  for (std::size_t s = 0; s < species; ++s) {
    const std::size_t count = static_cast<std::size_t>(plan.program[s].components) + plan.program[s].nodes;
    values = count > values ? count : values;
  }
  Scratch<T> scratch;
  scratch.slot_start = arena.take<std::int64_t>(species + 1);
  scratch.x = arena.take<Real<T>>(slots);
  scratch.y = arena.take<Real<T>>(slots);
  scratch.z = arena.take<Real<T>>(slots);
  scratch.edge = arena.take<std::int64_t>(slots * lanes);
  scratch.lane_vector = arena.take<T>(3 * row * lanes);
  scratch.lane_edge = arena.take<std::int64_t>(row * lanes);
  scratch.lane_species = arena.take<std::int32_t>(row * lanes);
  scratch.lane_count = arena.take<std::int64_t>(lanes * species);
  scratch.cursor = arena.take<std::int64_t>(species);
  scratch.R = arena.take<Real<T>>(chunk_edges * plan.radial.count);
  scratch.S = arena.take<Real<T>>(chunk_edges * plan.radial.count);
  scratch.Y = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.Q = arena.take<Real<T>>(chunk_edges * degrees * (degrees + 1) / 2);
  scratch.re = arena.take<Real<T>>(chunk_edges * degrees);
  scratch.im = arena.take<Real<T>>(chunk_edges * degrees);
  scratch.by_value = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.by_slope = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.density = arena.take<Real<T>>(species * plan.density);
  scratch.value = arena.take<Real<T>>(values);
  scratch.adjoint = arena.take<Real<T>>(values);
  return scratch;
}

// The edges of one atom within reach, compacted; their number by species; the nearest squared distance.
template <class T>
inline double collect_lane(const Plan<T> &plan, const Edges &edges, std::int64_t atom, T *vector, std::int64_t *edge,
                           std::int32_t *species, std::int64_t *count) {
  const double reach_squared = plan.reach * plan.reach;
  const double x = edges.positions[3 * atom], y = edges.positions[3 * atom + 1], z = edges.positions[3 * atom + 2];
  double nearest = __builtin_inf();
  std::int64_t found = 0;
  for (std::int64_t e = edges.start[atom]; e < edges.start[atom + 1]; ++e) {
    const double *other = edges.positions + 3 * static_cast<std::int64_t>(edges.neighbor[e]);
    const double *offset = edges.offset + 3 * static_cast<std::int64_t>(edges.image[e]);
    const double dx = other[0] - x + offset[0], dy = other[1] - y + offset[1], dz = other[2] - z + offset[2];
    const double squared = dx * dx + dy * dy + dz * dz;
    const bool within = squared < reach_squared;
    vector[3 * found] = static_cast<T>(dx);
    vector[3 * found + 1] = static_cast<T>(dy);
    vector[3 * found + 2] = static_cast<T>(dz);
    edge[found] = e;
    const std::int32_t of = edges.species[edges.neighbor[e]];
    species[found] = of;
    found += within;
    count[of] += within;
    nearest = squared < nearest ? squared : nearest;
  }
  return nearest;
}

template <class T>
inline void collect_block(const Plan<T> &plan, const Edges &edges, const std::int64_t *order, const Scratch<T> &scratch,
                          const Output<T> &output) {
  constexpr int lanes = Lane<T>::count;
  const int species = plan.species;
  const std::int64_t row = edges.longest_row;
  for (int i = 0; i < lanes * species; ++i) scratch.lane_count[i] = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    const std::int64_t atom = order[lane];
    if (atom < 0) continue;
    if (output.forces)
      __builtin_memset(output.edge_gradients + 3 * edges.start[atom], 0,
                       static_cast<std::size_t>(edges.start[atom + 1] - edges.start[atom]) * 3 * sizeof(T));
    const std::int64_t at = lane * row;
    output.nearest[atom] =
        collect_lane(plan, edges, atom, scratch.lane_vector + 3 * at, scratch.lane_edge + at, scratch.lane_species + at,
                     scratch.lane_count + lane * species);
  }
  scratch.slot_start[0] = 0;
  for (int z = 0; z < species; ++z) {
    std::int64_t most = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t count = scratch.lane_count[lane * species + z];
      most = count > most ? count : most;
    }
    scratch.slot_start[z + 1] = scratch.slot_start[z] + most;
  }
  T *x = reinterpret_cast<T *>(scratch.x), *y = reinterpret_cast<T *>(scratch.y), *z = reinterpret_cast<T *>(scratch.z);
  const T beyond = static_cast<T>(2 * plan.reach);
  for (int lane = 0; lane < lanes; ++lane) {
    std::int64_t total = 0;
    for (int s = 0; s < species; ++s) {
      scratch.cursor[s] = scratch.slot_start[s];
      total += scratch.lane_count[lane * species + s];
    }
    const T *vector = scratch.lane_vector + 3 * lane * row;
    const std::int64_t *edge = scratch.lane_edge + lane * row;
    const std::int32_t *of = scratch.lane_species + lane * row;
    for (std::int64_t e = 0; e < total; ++e) {
      const std::int64_t place = scratch.cursor[of[e]]++ * lanes + lane;
      x[place] = vector[3 * e];
      y[place] = vector[3 * e + 1];
      z[place] = vector[3 * e + 2];
      scratch.edge[place] = edge[e];
    }
    for (int s = 0; s < species; ++s)
      for (std::int64_t slot = scratch.cursor[s]; slot < scratch.slot_start[s + 1]; ++slot) {
        const std::int64_t place = slot * lanes + lane;
        x[place] = y[place] = 0;
        z[place] = beyond;
        scratch.edge[place] = edges.start[edges.atoms];
      }
  }
}

template <class T>
struct Distance {
  Real<T> r, inverse, x, y, z;  // r in Å and the unit vector
};

template <class T>
inline Distance<T> distance(const Scratch<T> &scratch, std::int64_t slot) {
  const Real<T> x = scratch.x[slot], y = scratch.y[slot], z = scratch.z[slot];
  const Real<T> r = root(x * x + y * y + z * z), inverse = T(1) / r;
  return {r, inverse, x * inverse, y * inverse, z * inverse};
}

template <class T>
inline int chunk_size(const Scratch<T> &scratch, int species, std::int64_t slot) {
  const std::int64_t left = scratch.slot_start[species + 1] - slot;
  return static_cast<int>(left < chunk_edges ? left : chunk_edges);
}

// Adds the edges to `density`, (species of neighbour, density), and returns the repulsion's energy.
template <class T>
inline Sum<T> forward(const Plan<T> &plan, const Pair<T> *pairs, const Scratch<T> &scratch) {
  const int degrees = plan.harmonics.l_max + 1, triangle = degrees * (degrees + 1) / 2;
  Sum<T> repelled{};
  for (int i = 0; i < plan.species * plan.density; ++i) scratch.density[i] = Real<T>{};
  for (int z = 0; z < plan.species; ++z)
    for (std::int64_t slot = scratch.slot_start[z]; slot < scratch.slot_start[z + 1]; slot += chunk_edges) {
      const int edges = chunk_size(scratch, z, slot);
      for (int e = 0; e < edges; ++e) {
        const Distance<T> d = distance(scratch, slot + e);
        radial_functions<T, false>(plan.radial, pairs[z], d.r, d.inverse, scratch.R + e * plan.radial.count, nullptr);
        Real<T> *Q = scratch.Q + e * triangle, *re = scratch.re + e * degrees, *im = scratch.im + e * degrees;
        harmonic_factors(plan.harmonics, d.x, d.y, d.z, Q, re, im);
        harmonic_values<T>(plan.harmonics.l_max, Q, re, im, scratch.Y + e * degrees * degrees);
        if (any(d.r < pairs[z].repulsion_outer)) {
          Real<T> energy, slope;
          repulsion(pairs[z], d.r, d.inverse, energy, slope);
          repelled += widened<T>(energy);
        }
      }
      add_to_density(plan, edges, scratch.R, scratch.Y, scratch.density + z * plan.density);
    }
  return repelled;
}

template <class T>
struct Totals {
  Sum<T> force[3];
  Sum<T> virial[6];
};

template <class T>
inline void write_edge(const Scratch<T> &scratch, std::int64_t slot, const Real<T> *gradient, T *edge_gradients) {
  constexpr int lanes = Lane<T>::count;
  const std::int64_t *edge = scratch.edge + slot * lanes;
  for (int lane = 0; lane < lanes; ++lane) {
    T *target = edge_gradients + 3 * edge[lane];
    target[0] = gradient[0][lane];
    target[1] = gradient[1][lane];
    target[2] = gradient[2][lane];
  }
}

// Edge gradients from the adjoint of the density, which stands in `density`.
template <class T>
inline void backward(const Plan<T> &plan, const Pair<T> *pairs, const Scratch<T> &scratch, T *edge_gradients,
                     Totals<T> &totals) {
  const int degrees = plan.harmonics.l_max + 1, triangle = degrees * (degrees + 1) / 2;
  for (int z = 0; z < plan.species; ++z)
    for (std::int64_t slot = scratch.slot_start[z]; slot < scratch.slot_start[z + 1]; slot += chunk_edges) {
      const int edges = chunk_size(scratch, z, slot);
      for (int e = 0; e < edges; ++e) {
        const Distance<T> d = distance(scratch, slot + e);
        const int k = e * plan.radial.count;
        radial_functions<T, true>(plan.radial, pairs[z], d.r, d.inverse, scratch.R + k, scratch.S + k);
        harmonic_factors(plan.harmonics, d.x, d.y, d.z, scratch.Q + e * triangle, scratch.re + e * degrees,
                         scratch.im + e * degrees);
      }
      adjoint_of_edges(plan, edges, scratch.R, scratch.S, scratch.density + z * plan.density, scratch.by_value,
                       scratch.by_slope);
      for (int e = 0; e < edges; ++e) {
        const Distance<T> d = distance(scratch, slot + e);
        const int lm = e * degrees * degrees;
        Real<T> along, by_unit[3];
        harmonic_adjoint(plan.harmonics, scratch.Q + e * triangle, scratch.re + e * degrees, scratch.im + e * degrees,
                         scratch.by_value + lm, scratch.by_slope + lm, &along, by_unit);
        if (any(d.r < pairs[z].repulsion_outer)) {
          Real<T> energy, slope;
          repulsion(pairs[z], d.r, d.inverse, energy, slope);
          along += slope;
        }
        // The unit vector changes only across the radius.
        along -= d.inverse * (by_unit[0] * d.x + by_unit[1] * d.y + by_unit[2] * d.z);
        const Real<T> gradient[3] = {by_unit[0] * d.inverse + along * d.x, by_unit[1] * d.inverse + along * d.y,
                                     by_unit[2] * d.inverse + along * d.z};
        write_edge(scratch, slot + e, gradient, edge_gradients);
        for (int a = 0; a < 3; ++a) totals.force[a] += widened<T>(gradient[a]);
        const Real<T> x = scratch.x[slot + e], y = scratch.y[slot + e], zz = scratch.z[slot + e];
        totals.virial[0] += widened<T>(x * gradient[0]);
        totals.virial[1] += widened<T>(y * gradient[1]);
        totals.virial[2] += widened<T>(zz * gradient[2]);
        totals.virial[3] += widened<T>(y * gradient[2]);
        totals.virial[4] += widened<T>(x * gradient[2]);
        totals.virial[5] += widened<T>(x * gradient[1]);
      }
    }
}

template <class T>
inline void evaluate_block(const Plan<T> &plan, const Edges &edges, const std::int64_t *order,
                           const Scratch<T> &scratch, const Output<T> &output) {
  const int center = edges.species[order[0]];
  const Pair<T> *pairs = plan.pair + static_cast<std::ptrdiff_t>(center) * plan.species;
  const Program<T> &program = plan.program[center];
  collect_block(plan, edges, order, scratch, output);
  Sum<T> energy = forward(plan, pairs, scratch);
  apply(program.component_of_density, program.components, scratch.density, scratch.value);
  energy += energy_and_adjoint(program, scratch.value, scratch.adjoint);
  for (int lane = 0; lane < Lane<T>::count; ++lane)
    if (order[lane] >= 0) output.energies[order[lane]] = energy[lane];
  if (!output.forces) return;
  apply(program.density_of_component, plan.species * plan.density, scratch.adjoint, scratch.density);
  Totals<T> totals = {};
  backward(plan, pairs, scratch, output.edge_gradients, totals);
  for (int lane = 0; lane < Lane<T>::count; ++lane) {
    const std::int64_t atom = order[lane];
    if (atom < 0) continue;
    for (int a = 0; a < 3; ++a) output.forces[3 * atom + a] = totals.force[a][lane];
    if (output.virials)
      for (int a = 0; a < 6; ++a) output.virials[6 * atom + a] = totals.virial[a][lane];
  }
}

template <class T>
std::size_t scratch_bytes(const Plan<T> &plan, const Edges &edges) {
  Arena arena{nullptr, 0};
  carve(plan, edges, arena);
  return arena.used;
}

template <class T>
void evaluate(const Plan<T> &plan, const Edges &edges, const std::int64_t *order, std::int64_t first_block,
              std::int64_t last_block, void *memory, const Output<T> &output) {
  Arena arena{static_cast<char *>(memory), 0};
  const Scratch<T> scratch = carve(plan, edges, arena);
  for (std::int64_t block = first_block; block < last_block; ++block)
    evaluate_block(plan, edges, order + block * Lane<T>::count, scratch, output);
}

}  // namespace
