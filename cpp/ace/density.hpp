// The density and its adjoint as small matrix products, one per lane, in tiles that stay in registers.

namespace {

constexpr int chunk_edges = 8;
constexpr int together = 2;  // edges of which one need not wait for the other; a block's edges are a multiple of it

#if ADIABAT_VECTOR_BYTES == 64
constexpr int tile_radial = 4, tile_harmonics = 5, adjoint_edges = 4, adjoint_harmonics = 3;
#else
constexpr int tile_radial = 4, tile_harmonics = 3, adjoint_edges = 2, adjoint_harmonics = 3;  // sixteen registers
#endif

// density[k][m] += Σ_e R[e][k] Y[e][m], k < KT, m < MT.
template <class T, int KT, int MT>
ADIABAT_PHASE void density_tile(int edges, const Real<T> *R, int r_stride, const Real<T> *Y, int y_stride, Real<T> *density,
                         int width) {
  Real<T> sum[KT][MT];
#pragma GCC unroll 8
  for (int k = 0; k < KT; ++k)
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) sum[k][m] = density[k * width + m];
  for (int e = 0; e < edges; ++e) {
    Real<T> y[MT];
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) y[m] = Y[e * y_stride + m];
#pragma GCC unroll 8
    for (int k = 0; k < KT; ++k) {
      const Real<T> r = R[e * r_stride + k];
#pragma GCC unroll 8
      for (int m = 0; m < MT; ++m) sum[k][m] += r * y[m];
    }
  }
#pragma GCC unroll 8
  for (int k = 0; k < KT; ++k)
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) density[k * width + m] = sum[k][m];
}

template <class T, int KT>
inline void density_strip(int edges, const Real<T> *R, int r_stride, const Real<T> *Y, int y_stride, Real<T> *density,
                          int width) {
  int m = 0;
  for (; m + tile_harmonics <= width; m += tile_harmonics)
    density_tile<T, KT, tile_harmonics>(edges, R, r_stride, Y + m, y_stride, density + m, width);
  const int left = width - m;
  if (left == 1) density_tile<T, KT, 1>(edges, R, r_stride, Y + m, y_stride, density + m, width);
  if (left == 2) density_tile<T, KT, 2>(edges, R, r_stride, Y + m, y_stride, density + m, width);
  if constexpr (tile_harmonics > 3) {
    if (left == 3) density_tile<T, KT, 3>(edges, R, r_stride, Y + m, y_stride, density + m, width);
    if (left == 4) density_tile<T, KT, 4>(edges, R, r_stride, Y + m, y_stride, density + m, width);
  }
}

template <class T>
ADIABAT_PHASE void add_to_density(const Plan<T> &plan, int edges, const Real<T> *R, const Real<T> *Y, Real<T> *density) {
  const int r_stride = plan.radial.count, y_stride = (plan.harmonics.l_max + 1) * (plan.harmonics.l_max + 1);
  for (int s = 0; s < plan.segments; ++s) {
    const Segment &segment = plan.segment[s];
    const int width = segment.end - segment.begin;
    const Real<T> *y = Y + segment.begin;
    Real<T> *target = density + segment.offset;
    int k = 0;
    for (; k + tile_radial <= segment.radial; k += tile_radial)
      density_strip<T, tile_radial>(edges, R + k, r_stride, y, y_stride, target + k * width, width);
    const int left = segment.radial - k;
    if (left == 1) density_strip<T, 1>(edges, R + k, r_stride, y, y_stride, target + k * width, width);
    if (left == 2) density_strip<T, 2>(edges, R + k, r_stride, y, y_stride, target + k * width, width);
    if (left == 3) density_strip<T, 3>(edges, R + k, r_stride, y, y_stride, target + k * width, width);
  }
}

// by_value[e][m] = Σ_k R[e][k] G[k][m], by_slope[e][m] = Σ_k S[e][k] G[k][m], e < ET, m < MT.
template <class T, int ET, int MT>
ADIABAT_PHASE void adjoint_tile(int count, const Real<T> *R, const Real<T> *S, int r_stride, const Real<T> *G, int width,
                         Real<T> *by_value, Real<T> *by_slope, int y_stride) {
  Real<T> value[ET][MT], slope[ET][MT];
#pragma GCC unroll 8
  for (int e = 0; e < ET; ++e)
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) value[e][m] = slope[e][m] = Real<T>{};
  for (int k = 0; k < count; ++k) {
    Real<T> g[MT];
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) g[m] = G[k * width + m];
#pragma GCC unroll 8
    for (int e = 0; e < ET; ++e) {
      const Real<T> r = R[e * r_stride + k], s = S[e * r_stride + k];
#pragma GCC unroll 8
      for (int m = 0; m < MT; ++m) {
        value[e][m] += r * g[m];
        slope[e][m] += s * g[m];
      }
    }
  }
#pragma GCC unroll 8
  for (int e = 0; e < ET; ++e)
#pragma GCC unroll 8
    for (int m = 0; m < MT; ++m) {
      by_value[e * y_stride + m] = value[e][m];
      by_slope[e * y_stride + m] = slope[e][m];
    }
}

template <class T, int ET>
inline void adjoint_strip(const Segment &segment, const Real<T> *R, const Real<T> *S, int r_stride, const Real<T> *G,
                          Real<T> *by_value, Real<T> *by_slope, int y_stride) {
  const int width = segment.end - segment.begin;
  int m = 0;
  for (; m + adjoint_harmonics <= width; m += adjoint_harmonics)
    adjoint_tile<T, ET, adjoint_harmonics>(segment.radial, R, S, r_stride, G + m, width, by_value + m, by_slope + m,
                                           y_stride);
  const int left = width - m;
  if (left == 1)
    adjoint_tile<T, ET, 1>(segment.radial, R, S, r_stride, G + m, width, by_value + m, by_slope + m, y_stride);
  if (left == 2)
    adjoint_tile<T, ET, 2>(segment.radial, R, S, r_stride, G + m, width, by_value + m, by_slope + m, y_stride);
}

// What the adjoint of the density gives for each edge's harmonics, from radial functions R and their slopes S.
template <class T>
ADIABAT_PHASE void adjoint_of_edges(const Plan<T> &plan, int edges, const Real<T> *R, const Real<T> *S, const Real<T> *adjoint,
                             Real<T> *by_value, Real<T> *by_slope) {
  const int r_stride = plan.radial.count, y_stride = (plan.harmonics.l_max + 1) * (plan.harmonics.l_max + 1);
  for (int s = 0; s < plan.segments; ++s) {
    const Segment &segment = plan.segment[s];
    const Real<T> *G = adjoint + segment.offset;
    int e = 0;
    for (; e + adjoint_edges <= edges; e += adjoint_edges)
      adjoint_strip<T, adjoint_edges>(segment, R + e * r_stride, S + e * r_stride, r_stride, G,
                                      by_value + e * y_stride + segment.begin, by_slope + e * y_stride + segment.begin,
                                      y_stride);
    for (; e < edges; e += together)
      adjoint_strip<T, together>(segment, R + e * r_stride, S + e * r_stride, r_stride, G,
                                 by_value + e * y_stride + segment.begin, by_slope + e * y_stride + segment.begin,
                                 y_stride);
  }
}

}  // namespace
