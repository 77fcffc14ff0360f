// The energy from the density, with its adjoint: a bilinear form of products.

namespace {

template <class T>
inline void apply(const SparseRows<T> &rows, int count, const Real<T> *from, Real<T> *to) {
  for (int i = 0; i < count; ++i) {
    Real<T> sum{};
    for (int e = rows.start[i]; e < rows.start[i + 1]; ++e) sum += rows.weight[e] * from[rows.index[e]];
    to[i] = sum;
  }
}

// One row: returns linear + Σ weight V[index], and adds the row's v to the adjoints of its entries.
template <class T>
inline Real<T> row_sum(const SparseRows<T> &entries, int row, T linear, Real<T> v, const Real<T> *value,
                       Real<T> *adjoint) {
  Real<T> even = all(linear), odd{};
  int e = entries.start[row];
  const int end = entries.start[row + 1];
  for (; e + 2 <= end; e += 2) {
    const int a = entries.index[e], b = entries.index[e + 1];
    const T wa = entries.weight[e], wb = entries.weight[e + 1];
    even += wa * value[a];
    odd += wb * value[b];
    adjoint[a] += wa * v;
    adjoint[b] += wb * v;
  }
  if (e < end) {
    const int a = entries.index[e];
    even += entries.weight[e] * value[a];
    adjoint[a] += entries.weight[e] * v;
  }
  return even + odd;
}

// value: components filled in; adjoint: zeroed here, on return that of the components is complete.
template <class T>
inline Sum<T> energy_and_adjoint(const Program<T> &program, Real<T> *value, Real<T> *adjoint) {
  const int components = program.components, nodes = program.nodes;
  for (int k = 0; k < nodes; ++k) value[components + k] = value[program.left[k]] * value[program.right[k]];
  for (int k = 0; k < components + nodes; ++k) adjoint[k] = Real<T>{};
  Sum<T> energy{};
  for (int row = 0; row < program.rows; ++row) {
    const int first = program.first[row], second = program.second[row];
    if (second < 0) {
      const Real<T> v = value[first];
      const Real<T> h = row_sum<T>(program.entries, row, program.linear[row], v, value, adjoint);
      adjoint[first] += h;
      energy += widened<T>(v * h);
    } else {
      const Real<T> a = value[first], b = value[second], v = a * b;
      const Real<T> h = row_sum<T>(program.entries, row, program.linear[row], v, value, adjoint);
      adjoint[first] += h * b;
      adjoint[second] += h * a;
      energy += widened<T>(v * h);
    }
  }
  for (int k = nodes - 1; k >= 0; --k) {
    const Real<T> g = adjoint[components + k];
    const int left = program.left[k], right = program.right[k];
    adjoint[left] += g * value[right];
    adjoint[right] += g * value[left];
  }
  return energy;
}

}  // namespace
