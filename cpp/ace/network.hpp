// Energies that networks give of the invariants: all atoms of a block go through theirs together, one in each lane.

namespace {

constexpr int outputs_together = 4, inputs_together = 8;  // sums that stay in registers

// to[o] = bias[o] + Σ_i weight[o][i] from[i], o < O.
template <class T, int O>
ADIABAT_PHASE void layer_tile(int inputs, const T *weight, const T *bias, const Real<T> *from, Real<T> *to) {
  Real<T> sum[O];
#pragma GCC unroll 4
  for (int o = 0; o < O; ++o) sum[o] = all(bias[o]);
  for (int i = 0; i < inputs; ++i) {
    const Real<T> x = from[i];
#pragma GCC unroll 4
    for (int o = 0; o < O; ++o) sum[o] += weight[static_cast<std::ptrdiff_t>(o) * inputs + i] * x;
  }
#pragma GCC unroll 4
  for (int o = 0; o < O; ++o) to[o] = sum[o];
}

template <class T>
inline void layer_values(int inputs, int outputs, const T *weight, const T *bias, const Real<T> *from, Real<T> *to) {
  int o = 0;
  for (; o + outputs_together <= outputs; o += outputs_together)
    layer_tile<T, outputs_together>(inputs, weight + static_cast<std::ptrdiff_t>(o) * inputs, bias + o, from, to + o);
  for (; o < outputs; ++o)
    layer_tile<T, 1>(inputs, weight + static_cast<std::ptrdiff_t>(o) * inputs, bias + o, from, to + o);
}

// to[i] = Σ_o weight[o][i] by[o], i < I.
template <class T, int I>
ADIABAT_PHASE void adjoint_layer_tile(int inputs, int outputs, const T *weight, const Real<T> *by, Real<T> *to) {
  Real<T> sum[I];
#pragma GCC unroll 8
  for (int i = 0; i < I; ++i) sum[i] = Real<T>{};
  for (int o = 0; o < outputs; ++o) {
    const Real<T> y = by[o];
#pragma GCC unroll 8
    for (int i = 0; i < I; ++i) sum[i] += weight[static_cast<std::ptrdiff_t>(o) * inputs + i] * y;
  }
#pragma GCC unroll 8
  for (int i = 0; i < I; ++i) to[i] = sum[i];
}

template <class T>
inline void adjoint_layer(int inputs, int outputs, const T *weight, const Real<T> *by, Real<T> *to) {
  int i = 0;
  for (; i + inputs_together <= inputs; i += inputs_together)
    adjoint_layer_tile<T, inputs_together>(inputs, outputs, weight + i, by, to + i);
  for (; i < inputs; ++i) adjoint_layer_tile<T, 1>(inputs, outputs, weight + i, by, to + i);
}

// a becomes φ(a) = a / (1 + e^-a), and the slope there.
template <class T>
ADIABAT_PHASE void activate(int count, Real<T> *a, Real<T> *slope) {
  for (int k = 0; k < count; ++k) {
    const Real<T> x = a[k], e = exponential<T>(x < T(0) ? x : -x);
    const Real<T> gate = (x < T(0) ? e : all(T(1))) / (T(1) + e);
    a[k] = x * gate;
    slope[k] = gate + a[k] * (T(1) - gate);
  }
}

template <class T>
struct NetworkScratch {
  Scratch<T> walk;
  Real<T> *invariant;
  Real<T> *hidden, *slope;  // of all layers
  Real<T> *by_hidden[2];    // of a layer and of the one before it
};

template <class T>
inline NetworkScratch<T> carve_network(const Plan<T> &plan, const InvariantTable<T> &table, const Network<T> *networks,
                                       std::int64_t longest_row, Arena &arena) {
  std::size_t widest = 0, most = 0;
  for (int s = 0; s < plan.species; ++s) {
    std::size_t sum = 0;
    for (int l = 1; l <= networks[s].layers; ++l) {
      const std::size_t width = static_cast<std::size_t>(networks[s].width[l]);
      sum += width;
      widest = width > widest ? width : widest;
    }
    most = sum > most ? sum : most;
  }
  NetworkScratch<T> scratch;
  scratch.walk = carve_invariants(plan, table, longest_row, arena, &scratch.invariant);
  scratch.hidden = arena.take<Real<T>>(most);
  scratch.slope = arena.take<Real<T>>(most);
  for (auto &by_hidden : scratch.by_hidden) by_hidden = arena.take<Real<T>>(widest);
  return scratch;
}

template <class T>
std::size_t network_scratch_bytes(const Plan<T> &plan, const InvariantTable<T> &table, const Network<T> *networks,
                                  std::int64_t longest_row) {
  Arena arena{nullptr, 0};
  carve_network(plan, table, networks, longest_row, arena);
  return arena.used;
}

// The energies of a block from its invariants.
template <class T>
inline Sum<T> network_energies(const Network<T> &network, const NetworkScratch<T> &scratch) {
  Sum<T> energy;
  member_values<T, 1>(network.width[0], network.linear, 1, scratch.invariant, &energy);
  const Real<T> *from = scratch.invariant;
  Real<T> *to = scratch.hidden, *slope = scratch.slope;
  const T *weight = network.weight, *bias = network.bias;
  for (int l = 0; l < network.layers; ++l) {
    const int inputs = network.width[l], outputs = network.width[l + 1];
    layer_values(inputs, outputs, weight, bias, from, to);
    activate<T>(outputs, to, slope);
    weight += static_cast<std::ptrdiff_t>(inputs) * outputs;
    bias += outputs;
    from = to;
    to += outputs;
    slope += outputs;
  }
  for (int o = 0; o < network.width[network.layers]; ++o) energy += widened<T>(network.readout[o] * from[o]);
  return energy + network.shift;
}

// Puts the derivatives of the energies in the place of the invariants.
template <class T>
inline void network_adjoint(const Network<T> &network, const NetworkScratch<T> &scratch) {
  const T *weight = network.weight;
  const Real<T> *slope = scratch.slope;
  for (int l = 0; l < network.layers; ++l) {
    weight += static_cast<std::ptrdiff_t>(network.width[l]) * network.width[l + 1];
    slope += network.width[l + 1];
  }
  Real<T> *by = scratch.by_hidden[0], *before = scratch.by_hidden[1];
  for (int o = 0; o < network.width[network.layers]; ++o) by[o] = all(network.readout[o]);
  for (int l = network.layers; l > 0; --l) {
    const int inputs = network.width[l - 1], outputs = network.width[l];
    weight -= static_cast<std::ptrdiff_t>(inputs) * outputs;
    slope -= outputs;
    for (int o = 0; o < outputs; ++o) by[o] *= slope[o];
    adjoint_layer(inputs, outputs, weight, by, l > 1 ? before : scratch.invariant);
    Real<T> *swapped = by;
    by = before;
    before = swapped;
  }
  for (int f = 0; f < network.width[0]; ++f) scratch.invariant[f] += network.linear[f];
}

template <class T>
void network(const Plan<T> &plan, const InvariantTable<T> &table, const Network<T> *networks, const Edges &edges,
             const std::int32_t *order, std::int64_t blocks, void *memory, const Output<T> &output) {
  Arena arena{static_cast<char *>(memory), 0};
  NetworkScratch<T> scratch = carve_network(plan, table, networks, edges.longest_row, arena);
  Scratch<T> &walk = scratch.walk;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int32_t *sites = order + block * Lane<T>::count;
    const Network<T> &own = networks[edges.species[sites[0]]];
    const Sum<T> repelled = begin_block(plan, edges, sites, walk, output);
    find_invariants(table, walk.density, walk.value, scratch.invariant);
    write_energies<T>(edges, sites, repelled + network_energies(own, scratch), output);
    if (!output.forces) continue;
    network_adjoint(own, scratch);
    for_each_stage(table, walk.value, [&](int begin, int end) {
      invariant_adjoint(table, begin, end, scratch.invariant, walk.value, walk.adjoint);
    });
    apply(table.density_of_component, plan.species * plan.density, walk.adjoint, walk.density);
    finish_block(plan, edges, sites, walk, output);
  }
}

}  // namespace
