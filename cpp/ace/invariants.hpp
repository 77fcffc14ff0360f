// The invariants themselves, and the adjoint of the density from any function of them.

namespace {

// The nodes' values from the components', and a 1 after them.
template <class T>
inline void fill_values(const InvariantTable<T> &table, Real<T> *value) {
  fill_nodes<T>(table.left, table.right, table.components, table.nodes, value);
  value[table.components + table.nodes] = all(T(1));
}

template <class T>
ADIABAT_PHASE void invariant_values(const InvariantTable<T> &table, Real<T> *value, Real<T> *invariant) {
  fill_values(table, value);
  for (int f = 0; f < table.functions; ++f) invariant[f] = Real<T>{};
  for (int p = 0; p < table.products; ++p) {
    const Real<T> product = at<T>(value, table.first[p]) * at<T>(value, table.second[p]);
    for (int e = table.coupling.start[p]; e < table.coupling.start[p + 1]; ++e)
      invariant[table.coupling.index[e]] += table.coupling.weight[e] * product;
  }
}

// adjoint: on return that of the components is complete.
template <class T>
ADIABAT_PHASE void invariant_adjoint(const InvariantTable<T> &table, const Real<T> *by_invariant, Real<T> *value,
                                     Real<T> *adjoint) {
  fill_values(table, value);
  for (int k = 0; k <= table.components + table.nodes; ++k) adjoint[k] = Real<T>{};
  for (int p = 0; p < table.products; ++p) {
    Real<T> by_product{};
    for (int e = table.coupling.start[p]; e < table.coupling.start[p + 1]; ++e)
      by_product += table.coupling.weight[e] * by_invariant[table.coupling.index[e]];
    const std::uint32_t first = table.first[p], second = table.second[p];
    const Real<T> a = at<T>(value, first), b = at<T>(value, second);
    at<T>(adjoint, first) += by_product * b;
    at<T>(adjoint, second) += by_product * a;
  }
  empty_nodes<T>(table.left, table.right, table.components, table.nodes, value, adjoint);
}

template <class T>
inline Scratch<T> carve_invariants(const Plan<T> &plan, const InvariantTable<T> &table, std::int64_t longest_row,
                                   Arena &arena, Real<T> **invariant) {
  *invariant = arena.take<Real<T>>(table.functions);
  return carve(plan, longest_row, static_cast<std::size_t>(table.components) + table.nodes + 1, arena);
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
    const Pair<T> *pairs = plan.pair + static_cast<std::ptrdiff_t>(edges.species[sites[0]]) * plan.species;
    collect_block(plan, pairs, edges, sites, scratch, output.sums);
    write_energies<T>(edges, sites, repel(plan, pairs, scratch), 0, output.sums);
    if (backwards)
      forward<T, true>(plan, pairs, scratch);
    else
      forward<T, false>(plan, pairs, scratch);
    apply(table.component_of_density, table.components, scratch.density, scratch.value);
    if (!backwards) invariant_values(table, scratch.value, invariant);
    for (int lane = 0; lane < lanes; ++lane) {
      const std::ptrdiff_t row = sites[lane] < 0 ? 0 : static_cast<std::ptrdiff_t>(edges.atom[sites[lane]]) * table.functions;
      for (int f = 0; backwards && f < table.functions; ++f)
        invariant[f][lane] = sites[lane] < 0 ? T(0) : static_cast<T>(output.by_invariant[row + f]);
      for (int f = 0; !backwards && sites[lane] >= 0 && f < table.functions; ++f)
        output.invariants[row + f] = invariant[f][lane];
    }
    if (!backwards) continue;
    invariant_adjoint(table, invariant, scratch.value, scratch.adjoint);
    apply(table.density_of_component, plan.species * plan.density, scratch.adjoint, scratch.density);
    finish_block(plan, edges, sites, scratch, output.sums);
  }
}

}  // namespace
