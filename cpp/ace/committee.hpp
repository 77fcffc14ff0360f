// Several energies that are linear in the invariants. What they share, the invariants and their derivatives by the
// components, is computed once; a member then costs one multiplication for each of them.

namespace {

constexpr int most_together = 8;  // members whose sums stay in registers
constexpr int single_run = 64;    // so many products are summed in single precision, their sums in double

// sum[m] = Σ_f coefficients[f][m] invariant[f], m < M.
template <class T, int M>
ADIABAT_PHASE void member_values(int functions, const T *coefficients, std::ptrdiff_t members, const Real<T> *invariant,
                                 Sum<T> *sums) {
  Sum<T> total[M];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) total[m] = Sum<T>{};
  for (int begin = 0; begin < functions; begin += single_run) {
    const int end = begin + single_run < functions ? begin + single_run : functions;
    Real<T> sum[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) sum[m] = Real<T>{};
    for (int f = begin; f < end; ++f) {
      const Real<T> b = invariant[f];
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) sum[m] += coefficients[f * members + m] * b;
    }
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) total[m] += widened<T>(sum[m]);
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) sums[m] = total[m];
}

// adjoint[m][u] = Σ_pairs of u, weight V[place] coefficients[function][m], m < M, for components u of a stage.
template <class T, int M>
ADIABAT_PHASE void member_adjoints(const InvariantTable<T> &table, int begin, int end, const T *coefficients,
                                   std::ptrdiff_t members, Real<T> *value, Real<T> *adjoint) {
  for (int k = begin; k < end; ++k) {
    Real<T> sum[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) sum[m] = Real<T>{};
    for (int p = table.pair_start[k]; p < table.pair_start[k + 1]; ++p) {
      const Real<T> slope = table.pair_weight[p] * at<T>(value, table.pair_place[p]);
      const T *of = coefficients + table.pair_function[p] * members;
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m) sum[m] += of[m] * slope;
    }
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) adjoint[m * table.components + table.component[k]] = sum[m];
  }
}

template <int N>
struct Number {
  static constexpr int value = N;
};

// Calls work(first, number) for members in groups of 8, 4, 2 and 1, the number as a constant.
template <int M = most_together, class Work>
inline void in_groups(int first, int count, const Work &work) {
  for (; first + M <= count; first += M) work(first, Number<M>{});
  if constexpr (M > 1) in_groups<M / 2>(first, count, work);
}

template <class T>
inline void all_values(const InvariantTable<T> &table, const Members<T> &members, int species, const Real<T> *invariant,
                       Sum<T> *sums) {
  const T *coefficients = members.coefficients[species];
  in_groups(0, members.count, [&](int m, auto number) {
    member_values<T, decltype(number)::value>(table.functions, coefficients + m, members.count, invariant, sums + m);
  });
}

template <class T>
struct CommitteeScratch {
  Scratch<T> walk;
  Real<T> *value, *invariant, *adjoint;  // adjoint: (members, components)
  Sum<T> *sums;                          // (members,)
};

template <class T>
inline CommitteeScratch<T> carve_committee(const Plan<T> &plan, const InvariantTable<T> &table, const Members<T> &members,
                                           std::int64_t longest_row, Arena &arena) {
  CommitteeScratch<T> scratch;
  scratch.walk = carve(plan, members.count, longest_row, most_values(plan), arena);
  scratch.value = arena.take<Real<T>>(table_values(table));
  scratch.invariant = arena.take<Real<T>>(table.functions);
  scratch.adjoint = arena.take<Real<T>>(static_cast<std::size_t>(members.count) * table.components);
  scratch.sums = arena.take<Sum<T>>(members.count);
  return scratch;
}

template <class T>
std::size_t committee_scratch_bytes(const Plan<T> &plan, const InvariantTable<T> &table, const Members<T> &members,
                                    std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  carve_committee(plan, table, members, longest_row, arena);
  return arena.used;
}

template <class T>
inline void write_members(const Edges &edges, const std::int32_t *sites, int lanes, int members, const Sum<T> *sums,
                          double *to) {
  for (int lane = 0; lane < lanes; ++lane)
    for (int m = 0; sites[lane] >= 0 && m < members; ++m)
      to[static_cast<std::ptrdiff_t>(edges.atom[sites[lane]]) * members + m] = sums[m][lane];
}

template <class T>
void committee(const Plan<T> &plan, const InvariantTable<T> &table, const Members<T> &members, const Edges &edges,
               const std::int32_t *order, std::int64_t blocks, void *memory, const Output<T> &output) {
  Arena arena{static_cast<char *>(memory), 0};
  CommitteeScratch<T> scratch = carve_committee(plan, table, members, edges.longest_row, arena);
  const std::ptrdiff_t density = plan.species * plan.density;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int32_t *sites = order + block * Lane<T>::count;
    const int species = edges.species[sites[0]];
    const Sum<T> repelled = begin_block(plan, edges, sites, scratch.walk, output);
    find_invariants(table, scratch.walk.density, scratch.value, scratch.invariant);
    all_values(table, members, species, scratch.invariant, scratch.sums);
    for (int m = 0; m < members.count; ++m) scratch.sums[m] += repelled + members.shift[species];
    write_members<T>(edges, sites, Lane<T>::count, members.count, scratch.sums, output.energies);
    if (!output.forces) continue;
    for_each_stage(table, scratch.value, [&](int begin, int end) {
      in_groups(0, members.count, [&](int m, auto number) {
        member_adjoints<T, decltype(number)::value>(table, begin, end, members.coefficients[species] + m, members.count,
                                                    scratch.value, scratch.adjoint + m * table.components);
      });
    });
    for (std::ptrdiff_t m = 0; m < members.count; ++m)
      apply(table.density_of_component, static_cast<int>(density), scratch.adjoint + m * table.components,
            scratch.walk.density + m * density);
    finish_block(plan, edges, sites, scratch.walk, output);
  }
}

// What stands beside the plan's energy is single: blocks of half as many lanes are put together in pairs.
template <class T>
struct BesideScratch {
  static constexpr int parts = Lane<float>::count / Lane<T>::count;
  Scratch<T> walk;
  Real<float> *density, *value, *invariant;
  Sum<float> *sums;  // (members,)
};

template <class T>
inline BesideScratch<T> carve_beside(const Plan<T> &plan, const InvariantTable<float> &table,
                                     const Members<float> &members, std::int64_t longest_row, Arena &arena) {
  BesideScratch<T> scratch;
  scratch.walk = carve(plan, 1, longest_row, most_values(plan), arena);
  scratch.density = arena.take<Real<float>>(static_cast<std::size_t>(plan.species) * plan.density);
  scratch.value = arena.take<Real<float>>(table_values(table));
  scratch.invariant = arena.take<Real<float>>(table.functions);
  scratch.sums = arena.take<Sum<float>>(members.count);
  return scratch;
}

template <class T>
std::size_t beside_scratch_bytes(const Plan<T> &plan, const InvariantTable<float> &table, const Members<float> &members,
                                 std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  carve_beside(plan, table, members, longest_row, arena);
  return arena.used;
}

template <class T>
inline void put_part(const Real<T> *from, int count, int part, Real<float> *to) {
  typedef float Part __attribute__((vector_size(Lane<T>::count * sizeof(float))));
  for (int i = 0; i < count; ++i) reinterpret_cast<Part *>(to + i)[part] = __builtin_convertvector(from[i], Part);
}

template <class T>
void beside(const Plan<T> &plan, const InvariantTable<float> &table, const Members<float> &members, const Edges &edges,
            const std::int32_t *order, std::int64_t blocks, void *memory, const Output<T> &output, double *values) {
  Arena arena{static_cast<char *>(memory), 0};
  BesideScratch<T> scratch = carve_beside(plan, table, members, edges.longest_row, arena);
  const int density = plan.species * plan.density;
  for (int i = 0; i < density; ++i) scratch.density[i] = Real<float>{};
  int filled = 0;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int32_t *sites = order + block * Lane<T>::count, *next = sites + Lane<T>::count;
    const int species = edges.species[sites[0]];
    const Sum<T> repelled = begin_block(plan, edges, sites, scratch.walk, output);
    put_part<T>(scratch.walk.density, density, filled++, scratch.density);
    if (filled == BesideScratch<T>::parts || block + 1 == blocks || edges.species[next[0]] != species) {
      find_invariants(table, scratch.density, scratch.value, scratch.invariant);
      all_values(table, members, species, scratch.invariant, scratch.sums);
      const int lanes = filled * Lane<T>::count;
      write_members<float>(edges, next - lanes, lanes, members.count, scratch.sums, values);
      filled = 0;
    }
    evaluate_block(plan, edges, sites, repelled, scratch.walk, output);
  }
}

}  // namespace
