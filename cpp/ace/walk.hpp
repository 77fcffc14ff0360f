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
struct Totals {
  Sum<T> force[3];
  Sum<T> virial[6];
};

template <class T>
struct Scratch {
  // Edges of the block by slot: those to one species of neighbour stand together, slot_start[z] ... slot_start[z+1]-1.
  std::int64_t *slot_start;
  Real<T> *x, *y, *z, *r, *inverse_r;
  Real<T> *repulsion_slope;
  Real<T> *R, *S;      // (slots, radial)
  std::uint32_t *particle;  // (slots, lanes): where an edge ends
  Real<T> *gradient;        // (members, slots, 3)
  std::size_t slots;
  // Edges within reach of the repulsion, few of all: where they stand among the slots, and their pair.
  std::int64_t *near_place;         // (row, lanes)
  std::int32_t *near_species;       // (row, lanes)
  std::int64_t near_slots;
  // Edges of one lane.
  T *lane_vector;
  std::uint32_t *lane_particle;
  std::int32_t *lane_species;
  std::int64_t *lane_count;  // (lanes, species)
  std::int64_t *cursor;
  // A chunk of edges.
  Real<T> *Y, *Q, *re, *im, *by_value, *by_slope;
  // The block.
  Real<T> *density;  // (members, species, density)
  Real<T> *value, *adjoint;
  Totals<T> *totals;  // (members,)
};

template <class T>
inline Scratch<T> carve(const Plan<T> &plan, std::size_t members, std::int64_t longest_row, std::size_t values, Arena &arena) {
  const std::size_t lanes = Lane<T>::count, species = plan.species, row = longest_row;
  const std::size_t slots = row * (species < lanes ? species : lanes) + together * species;
  const std::size_t degrees = plan.harmonics.l_max + 1, harmonics = degrees * degrees;
  Scratch<T> scratch;
  scratch.slot_start = arena.take<std::int64_t>(species + 1);
  scratch.x = arena.take<Real<T>>(slots);
  scratch.y = arena.take<Real<T>>(slots);
  scratch.z = arena.take<Real<T>>(slots);
  scratch.r = arena.take<Real<T>>(slots);
  scratch.inverse_r = arena.take<Real<T>>(slots);
  scratch.repulsion_slope = arena.take<Real<T>>(slots);
  scratch.R = arena.take<Real<T>>(slots * plan.radial.count);
  scratch.S = arena.take<Real<T>>(slots * plan.radial.count);
  scratch.particle = arena.take<std::uint32_t>(slots * lanes);
  scratch.gradient = arena.take<Real<T>>(members * slots * 3);
  scratch.slots = slots;
  scratch.near_place = arena.take<std::int64_t>(row * lanes);
  scratch.near_species = arena.take<std::int32_t>(row * lanes);
  scratch.near_slots = 0;
  scratch.lane_vector = arena.take<T>(3 * row * lanes);
  scratch.lane_particle = arena.take<std::uint32_t>(row * lanes);
  scratch.lane_species = arena.take<std::int32_t>(row * lanes);
  scratch.lane_count = arena.take<std::int64_t>(lanes * species);
  scratch.cursor = arena.take<std::int64_t>(species);
  scratch.Y = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.Q = arena.take<Real<T>>(chunk_edges * degrees * (degrees + 1) / 2);
  scratch.re = arena.take<Real<T>>(chunk_edges * degrees);
  scratch.im = arena.take<Real<T>>(chunk_edges * degrees);
  scratch.by_value = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.by_slope = arena.take<Real<T>>(chunk_edges * harmonics);
  scratch.density = arena.take<Real<T>>(members * species * plan.density);
  scratch.totals = arena.take<Totals<T>>(members);
  scratch.value = arena.take<Real<T>>(values);
  scratch.adjoint = arena.take<Real<T>>(values);
  return scratch;
}

// The edges of one site within reach, compacted; their number by species; the nearest squared distance.
template <class T>
ADIABAT_PHASE double collect_lane(const Plan<T> &plan, const Edges &edges, std::int64_t site, T *vector, std::uint32_t *particle,
                           std::int32_t *species, std::int64_t *count) {
  const double reach_squared = plan.reach * plan.reach;
  const double x = edges.sites[3 * site], y = edges.sites[3 * site + 1], z = edges.sites[3 * site + 2];
  double nearest = __builtin_inf();
  std::int64_t found = 0;
  for (std::uint32_t e = edges.start[site]; e < edges.start[site + 1]; ++e) {
    const std::uint32_t end = edges.neighbor[e];
    const double *other = edges.particles + 3 * static_cast<std::ptrdiff_t>(end);
    const double dx = other[0] - x, dy = other[1] - y, dz = other[2] - z;
    const double squared = dx * dx + dy * dy + dz * dz;
    const bool within = squared < reach_squared;
    vector[3 * found] = static_cast<T>(dx);
    vector[3 * found + 1] = static_cast<T>(dy);
    vector[3 * found + 2] = static_cast<T>(dz);
    particle[found] = end;
    const std::int32_t of = edges.particle_species[end];
    species[found] = of;
    found += within;
    count[of] += within;
    nearest = squared < nearest ? squared : nearest;
  }
  return nearest;
}

// From the compacted edges of a lane to the slots of the block; those within reach of the repulsion are noted.
template <class T>
ADIABAT_PHASE void place_lane(const Plan<T> &plan, const Pair<T> *pairs, std::int64_t row, int lane, Scratch<T> &scratch) {
  constexpr int lanes = Lane<T>::count;
  T *x = reinterpret_cast<T *>(scratch.x), *y = reinterpret_cast<T *>(scratch.y), *z = reinterpret_cast<T *>(scratch.z);
  std::int64_t total = 0, near = 0;
  for (int s = 0; s < plan.species; ++s) {
    scratch.cursor[s] = scratch.slot_start[s];
    total += scratch.lane_count[lane * plan.species + s];
  }
  const T *vector = scratch.lane_vector + 3 * lane * row;
  const std::uint32_t *particle = scratch.lane_particle + lane * row;
  const std::int32_t *of = scratch.lane_species + lane * row;
  for (std::int64_t e = 0; e < total; ++e) {
    const std::int64_t place = scratch.cursor[of[e]]++ * lanes + lane;
    const T a = vector[3 * e], b = vector[3 * e + 1], c = vector[3 * e + 2], outer = pairs[of[e]].repulsion_outer;
    x[place] = a;
    y[place] = b;
    z[place] = c;
    scratch.particle[place] = particle[e];
    scratch.near_place[near * lanes + lane] = place;
    scratch.near_species[near * lanes + lane] = of[e];
    near += a * a + b * b + c * c < outer * outer;
  }
  for (int s = 0; s < plan.species; ++s)
    for (std::int64_t slot = scratch.cursor[s]; slot < scratch.slot_start[s + 1]; ++slot) {
      const std::int64_t place = slot * lanes + lane;
      x[place] = y[place] = 0;
      z[place] = static_cast<T>(2 * plan.reach);
    }
  for (std::int64_t k = near; k < scratch.near_slots; ++k) scratch.near_place[k * lanes + lane] = -1;
  for (std::int64_t k = scratch.near_slots; k < near; ++k)
    for (int before = 0; before < lane; ++before) scratch.near_place[k * lanes + before] = -1;
  scratch.near_slots = near > scratch.near_slots ? near : scratch.near_slots;
}

template <class T>
inline void collect_block(const Plan<T> &plan, const Pair<T> *pairs, const Edges &edges, const std::int32_t *sites,
                          Scratch<T> &scratch, const Output<T> &output) {
  constexpr int lanes = Lane<T>::count;
  const int species = plan.species;
  const std::int64_t row = edges.longest_row;
  for (int i = 0; i < lanes * species; ++i) scratch.lane_count[i] = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    if (sites[lane] < 0) continue;
    const std::int64_t at = lane * row;
    output.nearest[edges.atom[sites[lane]]] =
        collect_lane(plan, edges, sites[lane], scratch.lane_vector + 3 * at, scratch.lane_particle + at,
                     scratch.lane_species + at, scratch.lane_count + lane * species);
  }
  scratch.slot_start[0] = 0;
  for (int z = 0; z < species; ++z) {
    std::int64_t most = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t count = scratch.lane_count[lane * species + z];
      most = count > most ? count : most;
    }
    scratch.slot_start[z + 1] = scratch.slot_start[z] + (most + together - 1) / together * together;
  }
  scratch.near_slots = 0;
  for (int lane = 0; lane < lanes; ++lane) place_lane(plan, pairs, row, lane, scratch);
}

// Distances of all slots, the repulsion's slopes where it reaches, and its energy.
template <class T>
ADIABAT_PHASE Sum<T> repel(const Plan<T> &plan, const Pair<T> *pairs, const Scratch<T> &scratch) {
  constexpr int lanes = Lane<T>::count;
  for (std::int64_t slot = 0; slot < scratch.slot_start[plan.species]; ++slot) {
    const Real<T> x = scratch.x[slot], y = scratch.y[slot], z = scratch.z[slot];
    const Real<T> r = root(x * x + y * y + z * z);
    scratch.r[slot] = r;
    scratch.inverse_r[slot] = T(1) / r;
    scratch.repulsion_slope[slot] = Real<T>{};
  }
  const T *r = reinterpret_cast<const T *>(scratch.r);
  T *slopes = reinterpret_cast<T *>(scratch.repulsion_slope);
  Sum<T> sum{};
  for (std::int64_t k = 0; k < scratch.near_slots; ++k) {
    const std::int64_t *place = scratch.near_place + k * lanes;
    PairLanes<T> lane_pairs{};
    Real<T> distance = all(static_cast<T>(2 * plan.reach));
    for (int lane = 0; lane < lanes; ++lane) {
      if (place[lane] < 0) continue;
      const Pair<T> &pair = pairs[scratch.near_species[k * lanes + lane]];
      distance[lane] = r[place[lane]];
      lane_pairs.outer[lane] = pair.repulsion_outer;
      lane_pairs.inner[lane] = pair.repulsion_inner;
      lane_pairs.charge[lane] = pair.charge;
      lane_pairs.inverse_length[lane] = pair.inverse_length;
      lane_pairs.cubic[lane] = pair.cubic;
      lane_pairs.quartic[lane] = pair.quartic;
      lane_pairs.constant[lane] = pair.constant;
    }
    Real<T> energy, slope;
    repulsion(lane_pairs, distance, T(1) / distance, energy, slope);
    sum += widened<T>(energy);
    for (int lane = 0; lane < lanes; ++lane)
      if (place[lane] >= 0) slopes[place[lane]] = slope[lane];
  }
  return sum;
}

template <class T>
inline int chunk_size(const Scratch<T> &scratch, int species, std::int64_t slot) {
  const std::int64_t left = scratch.slot_start[species + 1] - slot;
  return static_cast<int>(left < chunk_edges ? left : chunk_edges);
}

// The harmonics' factors of a chunk of edges.
template <class T>
ADIABAT_PHASE void chunk_harmonics(const Plan<T> &plan, const Scratch<T> &scratch, std::int64_t slot, int edges) {
  const int degrees = plan.harmonics.l_max + 1, triangle = degrees * (degrees + 1) / 2;
  for (int e = 0; e < edges; e += together) {
    Real<T> x[together], y[together], z[together];
    for (int k = 0; k < together; ++k) {
      const Real<T> inverse = scratch.inverse_r[slot + e + k];
      x[k] = scratch.x[slot + e + k] * inverse;
      y[k] = scratch.y[slot + e + k] * inverse;
      z[k] = scratch.z[slot + e + k] * inverse;
    }
    harmonic_factors<T, together>(plan.harmonics, x, y, z, scratch.Q + e * triangle, triangle, scratch.re + e * degrees,
                                  scratch.im + e * degrees, degrees);
  }
}

// Sums the edges in `density`, (species of neighbour, density); keeps their radial functions, with slopes where wanted.
template <class T, bool slopes>
ADIABAT_PHASE void forward(const Plan<T> &plan, const Pair<T> *pairs, const Scratch<T> &scratch) {
  const int degrees = plan.harmonics.l_max + 1, triangle = degrees * (degrees + 1) / 2;
  const int count = plan.radial.count;
  for (int i = 0; i < plan.species * plan.density; ++i) scratch.density[i] = Real<T>{};
  for (int z = 0; z < plan.species; ++z)
    for (std::int64_t slot = scratch.slot_start[z]; slot < scratch.slot_start[z + 1]; slot += chunk_edges) {
      const int edges = chunk_size(scratch, z, slot);
      Real<T> *R = scratch.R + slot * count, *S = scratch.S + slot * count;
      for (int e = 0; e < edges; e += together)
        radial_functions<T, together, slopes>(plan.radial, pairs[z], scratch.r + slot + e, scratch.inverse_r + slot + e,
                                              R + e * count, S + e * count, count);
      chunk_harmonics(plan, scratch, slot, edges);
      for (int e = 0; e < edges; ++e)
        harmonic_values<T>(plan.harmonics.l_max, scratch.Q + e * triangle, scratch.re + e * degrees,
                           scratch.im + e * degrees, scratch.Y + e * degrees * degrees);
      add_to_density(plan, edges, R, scratch.Y, scratch.density + z * plan.density);
    }
}

// The gradient of the energy by one edge, from what its harmonics are given.
template <class T>
inline __attribute__((always_inline)) void edge_gradient(const Plan<T> &plan, const Scratch<T> &scratch, std::int64_t slot, int e, Real<T> *gradient) {
  const int degrees = plan.harmonics.l_max + 1, triangle = degrees * (degrees + 1) / 2, lm = e * degrees * degrees;
  Real<T> along, by_unit[3];
  harmonic_adjoint(plan.harmonics, scratch.Q + e * triangle, scratch.re + e * degrees, scratch.im + e * degrees,
                   scratch.by_value + lm, scratch.by_slope + lm, &along, by_unit);
  const Real<T> vector[3] = {scratch.x[slot + e], scratch.y[slot + e], scratch.z[slot + e]};
  const Real<T> inverse = scratch.inverse_r[slot + e];
  along += scratch.repulsion_slope[slot + e];
  // The unit vector changes only across the radius.
  const Real<T> dot = by_unit[0] * vector[0] + by_unit[1] * vector[1] + by_unit[2] * vector[2];
  along = (along - dot * (inverse * inverse)) * inverse;
  for (int a = 0; a < 3; ++a) gradient[a] = by_unit[a] * inverse + along * vector[a];
}

template <class T>
inline __attribute__((always_inline)) void add_to_totals(const Scratch<T> &scratch, std::int64_t slot, const Real<T> *gradient, Totals<T> &totals) {
  const Real<T> vector[3] = {scratch.x[slot], scratch.y[slot], scratch.z[slot]};
  for (int a = 0; a < 3; ++a) {
    totals.force[a] += widened<T>(gradient[a]);
    totals.virial[a] += widened<T>(vector[a] * gradient[a]);
  }
  totals.virial[3] += widened<T>(vector[1] * gradient[2]);
  totals.virial[4] += widened<T>(vector[0] * gradient[2]);
  totals.virial[5] += widened<T>(vector[0] * gradient[1]);
}

// Edge gradients and totals of all members from the adjoints of their densities, (members, species, density).
template <class T, bool alone>
ADIABAT_PHASE void backward(const Plan<T> &plan, const Scratch<T> &scratch, int all_members) {
  const int count = plan.radial.count, members = alone ? 1 : all_members;
  for (int m = 0; m < members; ++m) scratch.totals[m] = Totals<T>{};
  for (int z = 0; z < plan.species; ++z)
    for (std::int64_t slot = scratch.slot_start[z]; slot < scratch.slot_start[z + 1]; slot += chunk_edges) {
      const int edges = chunk_size(scratch, z, slot);
      chunk_harmonics(plan, scratch, slot, edges);
      for (int m = 0; m < members; ++m) {
        adjoint_of_edges(plan, edges, scratch.R + slot * count, scratch.S + slot * count,
                         scratch.density + (m * plan.species + z) * plan.density, scratch.by_value, scratch.by_slope);
        Totals<T> totals = scratch.totals[m];
        Real<T> *gradient = scratch.gradient + 3 * (m * scratch.slots + slot);
        for (int e = 0; e < edges; ++e) {
          edge_gradient(plan, scratch, slot, e, gradient + 3 * e);
          add_to_totals(scratch, slot + e, gradient + 3 * e, totals);
        }
        scratch.totals[m] = totals;
      }
    }
}

// Hands the edge gradients of a block to where its edges end, lane by lane: what a particle gets depends on the order of
// the atoms alone, not on which of them share a block.
template <class T, bool alone>
ADIABAT_PHASE void hand_out(const Plan<T> &plan, const std::int32_t *sites, const Scratch<T> &scratch, const Output<T> &output) {
  constexpr int lanes = Lane<T>::count;
  const std::ptrdiff_t members = alone ? 1 : output.members, stride = 3 * lanes * scratch.slots;
  const T *x = reinterpret_cast<const T *>(scratch.x), *y = reinterpret_cast<const T *>(scratch.y),
          *z = reinterpret_cast<const T *>(scratch.z);
  for (int lane = 0; lane < lanes; ++lane)
    for (int s = 0; sites[lane] >= 0 && s < plan.species; ++s) {
      const std::int64_t first = scratch.slot_start[s], last = first + scratch.lane_count[lane * plan.species + s];
      for (std::int64_t slot = first; slot < last; ++slot) {
        const std::int64_t place = slot * lanes + lane;
        const std::ptrdiff_t row = members * static_cast<std::ptrdiff_t>(scratch.particle[place]);
        const T *from = reinterpret_cast<const T *>(scratch.gradient + 3 * slot) + lane;
        for (std::ptrdiff_t m = 0; m < members; ++m, from += stride) {
          double *pull = output.pulls + 3 * (row + m);
          const double gradient[3] = {from[0], from[lanes], from[2 * lanes]};
          for (int a = 0; a < 3; ++a) pull[a] += gradient[a];
          if (!output.twists) continue;
          const double back[3] = {-x[place], -y[place], -z[place]};
          double *twist = output.twists + 9 * (row + m);
          for (int a = 0; a < 3; ++a)
            for (int b = 0; b < 3; ++b) twist[3 * a + b] += back[a] * gradient[b];
        }
      }
    }
}

template <class T>
inline void write_energies(const Edges &edges, const std::int32_t *sites, Sum<T> energy, const Output<T> &output) {
  for (int lane = 0; lane < Lane<T>::count; ++lane)
    if (sites[lane] >= 0) output.energies[edges.atom[sites[lane]]] = energy[lane];
}

template <class T>
inline void write_totals(const Edges &edges, const std::int32_t *sites, const Scratch<T> &scratch, const Output<T> &output) {
  for (int lane = 0; lane < Lane<T>::count; ++lane)
    for (int m = 0; sites[lane] >= 0 && m < output.members; ++m) {
      const std::int64_t row = static_cast<std::int64_t>(edges.atom[sites[lane]]) * output.members + m;
      for (int a = 0; a < 3; ++a) output.forces[3 * row + a] = scratch.totals[m].force[a][lane];
      if (output.virials)
        for (int a = 0; a < 6; ++a) output.virials[6 * row + a] = scratch.totals[m].virial[a][lane];
    }
}

// Forces, as far as they come of the edges of a block, from the adjoints of the density.
template <class T>
inline void finish_block(const Plan<T> &plan, const Edges &edges, const std::int32_t *sites, const Scratch<T> &scratch,
                         const Output<T> &output) {
  if (output.members == 1) {
    backward<T, true>(plan, scratch, 1);
    hand_out<T, true>(plan, sites, scratch, output);
  } else {
    backward<T, false>(plan, scratch, output.members);
    hand_out<T, false>(plan, sites, scratch, output);
  }
  write_totals(edges, sites, scratch, output);
}

// From the edges of a block to their density; the energy of their repulsion.
template <class T>
inline Sum<T> begin_block(const Plan<T> &plan, const Edges &edges, const std::int32_t *sites, Scratch<T> &scratch,
                          const Output<T> &output) {
  const Pair<T> *pairs = plan.pair + static_cast<std::ptrdiff_t>(edges.species[sites[0]]) * plan.species;
  collect_block(plan, pairs, edges, sites, scratch, output);
  const Sum<T> repelled = repel(plan, pairs, scratch);
  if (output.forces)
    forward<T, true>(plan, pairs, scratch);
  else
    forward<T, false>(plan, pairs, scratch);
  return repelled;
}

// The plan's energy and its forces, from the density.
template <class T>
inline void evaluate_block(const Plan<T> &plan, const Edges &edges, const std::int32_t *sites, Sum<T> repelled,
                           const Scratch<T> &scratch, const Output<T> &output) {
  const Program<T> &program = plan.program[edges.species[sites[0]]];
  apply(program.component_of_density, program.components, scratch.density, scratch.value);
  fill_nodes(program, scratch.value);
  const Sum<T> energy = output.forces ? energy_and_adjoint<T, true>(program, scratch.value, scratch.adjoint)
                                      : energy_and_adjoint<T, false>(program, scratch.value, scratch.adjoint);
  write_energies<T>(edges, sites, repelled + energy + program.shift, output);
  if (!output.forces) return;
  apply(program.density_of_component, plan.species * plan.density, scratch.adjoint, scratch.density);
  finish_block(plan, edges, sites, scratch, output);
}

// The longest table of values of any species.
template <class T>
inline std::size_t most_values(const Plan<T> &plan) {
  std::size_t values = 0;
  for (int s = 0; s < plan.species; ++s) {
    const std::size_t count = static_cast<std::size_t>(plan.program[s].components) + plan.program[s].nodes;
    values = count > values ? count : values;
  }
  return values;
}

template <class T>
std::size_t scratch_bytes(const Plan<T> &plan, std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  carve(plan, 1, longest_row, most_values(plan), arena);
  return arena.used;
}

template <class T>
void evaluate(const Plan<T> &plan, const Edges &edges, const std::int32_t *order, std::int64_t blocks, void *memory,
              const Output<T> &output) {
  Arena arena{static_cast<char *>(memory), 0};
  Scratch<T> scratch = carve(plan, 1, edges.longest_row, most_values(plan), arena);
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int32_t *sites = order + block * Lane<T>::count;
    const Sum<T> repelled = begin_block(plan, edges, sites, scratch, output);
    evaluate_block(plan, edges, sites, repelled, scratch, output);
  }
}

}  // namespace
