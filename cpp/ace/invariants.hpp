// The invariants themselves, and the adjoint of the density from any function of them.

namespace {

// to[k] = Σ weight V[first] V[second] for the rows from `begin` to `end`; `to` may lie in V, behind what they are made of.
template <class T>
ADIABAT_PHASE void add_products(const Products<T> &rows, int begin, int end, Real<T> *value, Real<T> *to) {
  int e = rows.start[begin];
  for (int k = begin; k < end; ++k) {
    Real<T> sum{};
    for (; e < rows.start[k + 1]; ++e)
      sum += (rows.weight[e] * at<T>(value, rows.first[e])) * at<T>(value, rows.second[e]);
    *to++ = sum;
  }
}

// The table's values as far as the invariants need them, and the invariants.
template <class T>
inline void find_invariants(const InvariantTable<T> &table, const Real<T> *density, Real<T> *value, Real<T> *invariant) {
  apply(table.component_of_density, table.components, density, value);
  value[table.components] = all(T(1));
  add_products(table.sum, 0, table.value_sums, value, value + table.components + 1);
  add_products(table.invariant, 0, table.functions, value, invariant);
}

// Finds the derivatives of the invariants stage by stage, and calls work(components: begin, end) with those of each.
template <class T, class Work>
inline void for_each_stage(const InvariantTable<T> &table, Real<T> *value, const Work &work) {
  Real<T> *sums = value + table.components + 1, *local = sums + table.sums;
  add_products(table.sum, table.value_sums, table.sums, value, sums + table.value_sums);
  for (int s = 0; s < table.stages; ++s) {
    add_products(table.local, table.stage_local[s], table.stage_local[s + 1], value, local);
    work(table.stage_component[s], table.stage_component[s + 1]);
  }
}

// adjoint: of the components from `begin` to `end` of a stage.
template <class T>
ADIABAT_PHASE void invariant_adjoint(const InvariantTable<T> &table, int begin, int end, const Real<T> *by_invariant,
                                     Real<T> *value, Real<T> *adjoint) {
  for (int k = begin; k < end; ++k) {
    Real<T> sum{};
    for (int p = table.pair_start[k]; p < table.pair_start[k + 1]; ++p)
      sum += (table.pair_weight[p] * at<T>(value, table.pair_place[p])) * by_invariant[table.pair_function[p]];
    adjoint[table.component[k]] = sum;
  }
}

template <class T>
inline std::size_t table_values(const InvariantTable<T> &table) {
  return static_cast<std::size_t>(table.components) + 1 + table.sums + table.most_local;
}

template <class T>
inline Scratch<T> carve_invariants(const Plan<T> &plan, const InvariantTable<T> &table, std::int64_t longest_row,
                                   Arena &arena, Real<T> **invariant) {
  *invariant = arena.take<Real<T>>(table.functions);
  return carve(plan, 1, longest_row, table_values(table), arena);
}

template <class T>
std::size_t invariant_scratch_bytes(const Plan<T> &plan, const InvariantTable<T> &table, std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  Real<T> *invariant;
  carve_invariants(plan, table, longest_row, arena, &invariant);
  return arena.used;
}

// Invariants of a run of blocks, and the energies of the repulsion; with forces: what a function of the invariants,
// whose derivatives are given, and the repulsion contribute to them.
template <class T>
void invariants(const Plan<T> &plan, const InvariantTable<T> &table, const Edges &edges, const std::int32_t *order,
                std::int64_t blocks, void *memory, const InvariantOutput<T> &output) {
  constexpr int lanes = Lane<T>::count;
  Arena arena{static_cast<char *>(memory), 0};
  Real<T> *invariant;
  Scratch<T> scratch = carve_invariants(plan, table, edges.longest_row, arena, &invariant);
  const bool backwards = output.sums.forces != nullptr;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int32_t *sites = order + block * lanes;
    write_energies<T>(edges, sites, begin_block(plan, edges, sites, scratch, output.sums), output.sums);
    find_invariants(table, scratch.density, scratch.value, invariant);
    for (int lane = 0; lane < lanes; ++lane) {
      const std::ptrdiff_t row = sites[lane] < 0 ? 0 : static_cast<std::ptrdiff_t>(edges.atom[sites[lane]]) * table.functions;
      for (int f = 0; backwards && f < table.functions; ++f)
        invariant[f][lane] = sites[lane] < 0 ? T(0) : static_cast<T>(output.by_invariant[row + f]);
      for (int f = 0; !backwards && sites[lane] >= 0 && f < table.functions; ++f)
        output.invariants[row + f] = invariant[f][lane];
    }
    if (!backwards) continue;
    for_each_stage(table, scratch.value, [&](int begin, int end) {
      invariant_adjoint(table, begin, end, invariant, scratch.value, scratch.adjoint);
    });
    apply(table.density_of_component, plan.species * plan.density, scratch.adjoint, scratch.density);
    finish_block(plan, edges, sites, scratch, output.sums);
  }
}

}  // namespace
