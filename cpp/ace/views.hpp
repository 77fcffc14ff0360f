#pragma once
#include <cstddef>
#include <cstdint>

// What the instruction-set units see: plain structs of pointers, so that no function or template of the standard library
// is compiled for an instruction set that another machine lacks and then picked by the linker for all.
namespace adiabat::ace {

// Harmonics (l, m), l < degrees_end, that share a number of radial functions.
struct Segment {
  std::int32_t radial;    // functions g_0 ... g_{radial-1}
  std::int32_t begin;     // first harmonic, l² + l + m
  std::int32_t end;       // one beyond the last
  std::int32_t offset;    // into the density: [k][harmonic - begin]
};

// g_n = u_n / r, u_n = alpha_n sin((n+1)a) + beta_n sin((n+2)a) + carry_n u_{n-1}, a = π r / cutoff,
// u_n' = slope_n (cos((n+1)a) + cos((n+2)a)) + carry_n u_{n-1}'.
template <class T>
struct Radial {
  std::int32_t count;
  T cutoff;
  const T *alpha;
  const T *beta;
  const T *carry;
  const T *slope;
};

// Q_lm(z) = diagonal_m for l = m, else rise_lm z Q_{l-1,m} - fall_lm Q_{l-2,m}; dQ_lm/dz = slope_lm Q_{l,m+1}.
// Y_lm = Q_lm Re (x+iy)^m, Y_l,-m = Q_lm Im (x+iy)^m. Tables of (l, m >= 0) are triangular: l(l+1)/2 + m.
template <class T>
struct Harmonics {
  std::int32_t l_max;
  const T *diagonal;
  const T *rise;
  const T *fall;
  const T *slope;
};

// What depends on the species of centre and neighbour.
template <class T>
struct Pair {
  T inner_radius;  // Å: the switch is 1 from here on; 0: no inner switch
  T inner_inverse_width;
  T repulsion_outer;  // Å: 0: no repulsion
  T repulsion_inner;
  T charge;          // eV Å
  T inverse_length;  // 1/Å
  T cubic;           // A/3, B/4, C of the switch in adiabat.physics.zbl
  T quartic;
  T constant;
};

// Sparse rows: entries start[i] ... start[i+1]-1 of index and weight.
template <class T>
struct SparseRows {
  const std::int32_t *start;
  const std::int32_t *index;
  const T *weight;
};

constexpr int block_rows = 4;
constexpr std::uint32_t place_unit = 16;

// The energy of an atom of one species as a bilinear form of products, E = Σ_rows v (linear + Σ_columns weight V[column]).
// V holds first the components (sums over the density), then the nodes V[left] V[right]. v is V[first] in the first blocks,
// V[first] V[second] in the others. The rows of a block share their columns; weights are zero where a row lacks one.
// Places in V are stored times `place_unit`.
template <class T>
struct Program {
  std::int32_t components;
  std::int32_t nodes;
  std::int32_t blocks;
  std::int32_t single_blocks;
  SparseRows<T> component_of_density;
  SparseRows<T> density_of_component;  // its transpose
  const std::uint32_t *left;
  const std::uint32_t *right;
  const std::uint32_t *first;        // (blocks, block_rows)
  const std::uint32_t *second;       // (blocks, block_rows)
  const T *linear;                   // (blocks, block_rows)
  const std::int32_t *column_start;  // (blocks + 1,)
  const std::uint32_t *column;
  const T *weight;                   // (columns, block_rows)
  double shift;                      // eV, added to the energy
};

template <class T>
struct Plan {
  std::int32_t species;
  std::int32_t segments;
  std::int32_t density;  // components of the density of one species of neighbour
  double reach;          // Å: the longest edge that counts
  Radial<T> radial;
  Harmonics<T> harmonics;
  const Segment *segment;
  const Pair<T> *pair;        // (species of centre, species of neighbour)
  const Program<T> *program;  // by species of the centre
};

// The directed edges of a window of atoms. The vector of edge e of a site is particles[neighbor[e]] - sites[site]: particles
// are images of atoms, each there once, that edges end at; sites are the atoms of the window.
struct Edges {
  std::int64_t longest_row;       // of any window
  std::int64_t number;            // of sites
  const std::uint32_t *start;     // (sites + 1,)
  const std::uint32_t *neighbor;  // (edges,)
  const std::uint32_t *atom;      // (sites,): where results are written
  const double *sites;            // (sites, 3) Å
  const std::int32_t *species;    // (sites,)
  const std::uint32_t *particle_atom;    // (particles,)
  const double *particles;               // (particles, 3) Å
  const std::int32_t *particle_species;  // (particles,)
};

template <class T>
struct Output {
  std::int32_t members;
  double *energies;  // (atoms, members)
  double *nearest;   // (atoms,) Å², of the nearest neighbour within reach, infinite without one
  double *forces;    // (atoms, members, 3): Σ over the atom's own edges of ∂E_i/∂r; null: energies only
  double *virials;   // (atoms, members, 6) xx yy zz yz xz xy: Σ r ∂E_i/∂r over the atom's own edges; null: not wanted
  // Of the window's particles, added to: over the edges that end at them,
  double *pulls;   // (particles, members, 3): Σ ∂E_i/∂r
  double *twists;  // (particles, members, 3, 3): Σ -r ⊗ ∂E_i/∂r; null: not wanted
};

// Rows of products of two values: entries start[k] ... start[k+1]-1 of row k are weight V[first] V[second].
template <class T>
struct Products {
  const std::int32_t *start;
  const std::uint32_t *first;  // places in V, times `place_unit`
  const std::uint32_t *second;
  const T *weight;
};

// The invariants B_f and their derivatives by the components A_u. V holds the components, a 1, the sums, and the local sums
// of one stage: rows of products of values before them. B_f is a row of products; ∂B_f/∂A_u = weight V[place] for the pairs
// of u, zero for all others. Derivatives are found stage by stage, and used before the next one.
template <class T>
struct InvariantTable {
  std::int32_t functions;
  std::int32_t components;
  std::int32_t sums;
  std::int32_t value_sums;  // so many of the first are what the invariants themselves need
  std::int32_t most_local;  // of any stage
  std::int32_t stages;
  SparseRows<T> component_of_density;
  SparseRows<T> density_of_component;  // its transpose
  Products<T> sum;
  Products<T> invariant;
  Products<T> local;
  const std::int32_t *stage_local;      // (stages + 1,)
  const std::int32_t *stage_component;  // (stages + 1,)
  const std::int32_t *component;        // (components,) by stage
  const std::int32_t *pair_start;       // (components + 1,) in the same order
  const std::int32_t *pair_function;
  const std::uint32_t *pair_place;      // times `place_unit`
  const T *pair_weight;
};

// Energies that are linear in the invariants: coefficients (functions, members) for each species of the centre.
template <class T>
struct Members {
  std::int32_t count;
  const T *const *coefficients;
  const double *shift;  // (species,) eV, added to each energy
};

// The energy of an atom of one species as a network of its invariants B: shift + linear · B + readout · h, with
// h = φ(W ... φ(W B + b) ... + b), φ(a) = a / (1 + e^-a).
template <class T>
struct Network {
  std::int32_t layers;
  const std::int32_t *width;  // (layers + 1,): of B, then of each layer
  const T *weight;            // (outputs, inputs) of each layer, one after the other
  const T *bias;              // (outputs,) of each layer, likewise
  const T *linear;            // (functions,)
  const T *readout;           // (last width,)
  double shift;               // eV
};

// Forwards, without forces, invariants are written; backwards their derivatives are read.
template <class T>
struct InvariantOutput {
  Output<T> sums;              // energies and forces; the former of the repulsion alone
  double *invariants;          // (atoms, functions)
  const double *by_invariant;  // (atoms, functions)
};

// The invariants B_f = Σ products of components, as their derivatives by the components. A pair is a function and a component
// that it depends on; ∂B_f/∂A_u = Σ_terms weight · the other factors, `others` of them, 1 (the place `components`) filling up.
struct FunctionTable {
  std::int32_t functions;
  std::int32_t components;
  std::int32_t others;
  std::int64_t pairs;
  const std::int32_t *radial;         // (density,): which radial function and harmonic a component of the density is
  const std::int32_t *harmonic;       // (density,)
  SparseRows<double> of_density;      // (species of neighbour, components) rows over the density of one species
  const std::int64_t *pair_start;     // (functions + 1,)
  const std::int32_t *pair_component;  // (pairs,)
  const std::int64_t *term_start;     // (pairs + 1,)
  const double *term_weight;
  const std::int32_t *term_factor;    // (terms, others)
  const double *inverse_factors;      // (functions,): 1 / the number of factors
};

struct RowOutput {
  double *features;  // (atoms, functions)
  double *forces;    // (3 atoms, species · functions), added to
  double *virial;    // (species · functions, 6): xx yy zz yz xz xy of Σ r ∂B/∂r, added to
};

// One instruction set, one floating-point type.
template <class T>
struct Kernel {
  std::int32_t lanes;
  std::size_t (*scratch_bytes)(const Plan<T> &, std::int64_t longest_row);
  // Sites order[lanes b ... lanes (b+1) - 1] of a block b share a species; -1 fills a block.
  void (*evaluate)(const Plan<T> &, const Edges &, const std::int32_t *order, std::int64_t blocks, void *scratch,
                   const Output<T> &);
  std::size_t (*invariant_scratch_bytes)(const Plan<T> &, const InvariantTable<T> &, std::int64_t longest_row);
  void (*invariants)(const Plan<T> &, const InvariantTable<T> &, const Edges &, const std::int32_t *order,
                     std::int64_t blocks, void *scratch, const InvariantOutput<T> &);
  std::size_t (*committee_scratch_bytes)(const Plan<T> &, const InvariantTable<T> &, const Members<T> &,
                                         std::int64_t longest_row);
  // All members; the plan's own energy is left out.
  void (*committee)(const Plan<T> &, const InvariantTable<T> &, const Members<T> &, const Edges &,
                    const std::int32_t *order, std::int64_t blocks, void *scratch, const Output<T> &);
  std::size_t (*beside_scratch_bytes)(const Plan<T> &, const InvariantTable<float> &, const Members<float> &,
                                      std::int64_t longest_row);
  // The plan's energy, and beside it, in single precision, (atoms, members) what coefficients make of the invariants.
  void (*beside)(const Plan<T> &, const InvariantTable<float> &, const Members<float> &, const Edges &,
                 const std::int32_t *order, std::int64_t blocks, void *scratch, const Output<T> &, double *values);
  std::size_t (*network_scratch_bytes)(const Plan<T> &, const InvariantTable<T> &, const Network<T> *,
                                       std::int64_t longest_row);
  // A network for each species; the plan's own energy is left out.
  void (*network)(const Plan<T> &, const InvariantTable<T> &, const Network<T> *, const Edges &,
                  const std::int32_t *order, std::int64_t blocks, void *scratch, const Output<T> &);
};

struct InstructionSet {
  Kernel<double> in_double;
  Kernel<float> in_single;
  std::size_t (*row_scratch_bytes)(const Plan<double> &, const FunctionTable &, std::int64_t longest_row);
  void (*add_rows)(const Plan<double> &, const FunctionTable &, const Edges &, void *scratch, const RowOutput &);
};

}  // namespace adiabat::ace
