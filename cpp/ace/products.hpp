// The energy from the density, with its adjoint: a bilinear form of products.

namespace {

// Places of values are stored times 16, so that one table serves vectors of 16, 32 and 64 bytes by scaled addresses.
template <class T>
inline Real<T> &at(Real<T> *values, std::uint32_t place) {
  constexpr std::size_t scale = ADIABAT_VECTOR_BYTES / place_unit;
  return *reinterpret_cast<Real<T> *>(reinterpret_cast<char *>(values) + place * scale);
}

template <class T>
ADIABAT_PHASE void apply(const SparseRows<T> &rows, int count, const Real<T> *from, Real<T> *to) {
  for (int i = 0; i < count; ++i) {
    Real<T> sum{};
    for (int e = rows.start[i]; e < rows.start[i + 1]; ++e) sum += rows.weight[e] * from[rows.index[e]];
    to[i] = sum;
  }
}

// Adds the energy of a run of blocks. The rows of a block share its columns, whose values and adjoints are fetched once.
template <class T, bool pairs, bool adjoints>
inline void add_blocks(const Program<T> &program, int block, int end, Real<T> *__restrict value,
                       Real<T> *__restrict adjoint, Sum<T> &energy) {
  const std::uint32_t *column = program.column + program.column_start[block];
  const T *weight = program.weight + block_rows * static_cast<std::ptrdiff_t>(program.column_start[block]);
  for (; block < end; ++block) {
    const std::uint32_t *first = program.first + block * block_rows, *second = program.second + block * block_rows;
    Real<T> v[block_rows], h[block_rows];
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) {
      v[r] = at<T>(value, first[r]);
      if constexpr (pairs) v[r] *= at<T>(value, second[r]);
      h[r] = all(program.linear[block * block_rows + r]);
    }
    for (int columns = program.column_start[block + 1] - program.column_start[block]; columns > 0; --columns) {
      const std::uint32_t place = *column++;
      const Real<T> x = at<T>(value, place);
#pragma GCC unroll 4
      for (int r = 0; r < block_rows; ++r) h[r] += weight[r] * x;
      if constexpr (adjoints) {
        Real<T> sum = at<T>(adjoint, place);
#pragma GCC unroll 4
        for (int r = 0; r < block_rows; ++r) sum += weight[r] * v[r];
        at<T>(adjoint, place) = sum;
      }
      weight += block_rows;
    }
#pragma GCC unroll 4
    for (int r = 0; adjoints && r < block_rows; ++r) {
      if constexpr (pairs) {
        const Real<T> a = at<T>(value, first[r]), b = at<T>(value, second[r]);
        at<T>(adjoint, first[r]) += h[r] * b;
        at<T>(adjoint, second[r]) += h[r] * a;
      } else {
        at<T>(adjoint, first[r]) += h[r];
      }
    }
    if constexpr (sizeof(T) == 8) {
      for (int r = 0; r < block_rows; ++r) energy += v[r] * h[r];
    } else {
      energy += widened<T>(v[0] * h[0]) + widened<T>(v[1] * h[1]) + widened<T>(v[2] * h[2]) + widened<T>(v[3] * h[3]);
    }
  }
}

template <class T>
inline void fill_nodes(const Program<T> &program, Real<T> *value) {
  for (int k = 0; k < program.nodes; ++k)
    value[program.components + k] = at<T>(value, program.left[k]) * at<T>(value, program.right[k]);
}

// Hands the adjoints of the nodes on to what they are products of.
template <class T>
inline void empty_nodes(const Program<T> &program, Real<T> *value, Real<T> *adjoint) {
  for (int k = program.nodes - 1; k >= 0; --k) {
    const Real<T> g = adjoint[program.components + k];
    at<T>(adjoint, program.left[k]) += g * at<T>(value, program.right[k]);
    at<T>(adjoint, program.right[k]) += g * at<T>(value, program.left[k]);
  }
}

// value: filled in; adjoint: on return that of the components is complete, unless only the energy is wanted.
template <class T, bool adjoints>
ADIABAT_PHASE Sum<T> energy_and_adjoint(const Program<T> &program, Real<T> *value, Real<T> *adjoint) {
  for (int k = 0; adjoints && k < program.components + program.nodes; ++k) adjoint[k] = Real<T>{};
  Sum<T> energy{};
  add_blocks<T, false, adjoints>(program, 0, program.single_blocks, value, adjoint, energy);
  add_blocks<T, true, adjoints>(program, program.single_blocks, program.blocks, value, adjoint, energy);
  if constexpr (adjoints) empty_nodes(program, value, adjoint);
  return energy;
}

}  // namespace
