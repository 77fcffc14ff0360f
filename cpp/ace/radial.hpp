// Radial functions of a chunk of edges, and the repulsion.

namespace {

// R_k = g_k(r) s(r) and, where slopes are wanted, S_k = R_k' of `E` edges, so that one need not wait for the other; edge e stands at e · stride.
template <class T, int E, bool slopes>
ADIABAT_PHASE void radial_functions(const Radial<T> &radial, const Pair<T> &pair, const Real<T> *r, const Real<T> *inverse_r,
                             Real<T> *R, Real<T> *S, int stride) {
  const Real<T> zero{};
  Real<T> sine[E], cosine[E], scale[E], scale_slope[E], sine_k[E], cosine_k[E], u[E], u_slope[E];
  for (int e = 0; e < E; ++e) {
    const auto inside = r[e] < radial.cutoff;
    sine_cosine_of_pi<T>(inside ? r[e] * (T(1) / radial.cutoff) : all(T(1)), sine[e], cosine[e]);
    Real<T> t = (r[e] - pair.inner_radius) * pair.inner_inverse_width + T(1);
    t = t < T(0) ? zero : t;
    t = t > T(1) ? all(T(1)) : t;
    const Real<T> t2 = t * t, rest = T(1) - t;
    scale[e] = t2 * t * (T(10) - T(15) * t + T(6) * t2) * inverse_r[e];
    scale_slope[e] = (T(30) * t2 * rest * rest * pair.inner_inverse_width - scale[e]) * inverse_r[e];
    scale[e] = inside ? scale[e] : zero;
    scale_slope[e] = inside ? scale_slope[e] : zero;
    sine_k[e] = sine[e];
    cosine_k[e] = cosine[e];
    u[e] = u_slope[e] = zero;
  }
  for (int k = 0; k < radial.count; ++k) {
    const T alpha = radial.alpha[k], beta = radial.beta[k], carry = radial.carry[k], slope = radial.slope[k];
    for (int e = 0; e < E; ++e) {
      const Real<T> sine_next = sine_k[e] * cosine[e] + cosine_k[e] * sine[e];
      const Real<T> cosine_next = cosine_k[e] * cosine[e] - sine_k[e] * sine[e];
      u[e] = alpha * sine_k[e] + beta * sine_next + carry * u[e];
      R[e * stride + k] = u[e] * scale[e];
      if constexpr (slopes) {
        u_slope[e] = slope * (cosine_k[e] + cosine_next) + carry * u_slope[e];
        S[e * stride + k] = u_slope[e] * scale[e] + u[e] * scale_slope[e];
      }
      sine_k[e] = sine_next;
      cosine_k[e] = cosine_next;
    }
  }
}

// The pair of each lane.
template <class T>
struct PairLanes {
  Real<T> outer, inner, charge, inverse_length, cubic, quartic, constant;
};

// Half of V(r) of adiabat.physics.zbl, and half its slope.
template <class T>
ADIABAT_PHASE void repulsion(const PairLanes<T> &pair, Real<T> r, Real<T> inverse_r, Real<T> &energy, Real<T> &slope) {
  constexpr T share[4] = {T(0.18175), T(0.50986), T(0.28022), T(0.02817)};
  constexpr T rate[4] = {T(3.19980), T(0.94229), T(0.40290), T(0.20162)};
  const Real<T> zero{}, x = r * pair.inverse_length;
  Real<T> screening = zero, screening_slope = zero;
  for (int k = 0; k < 4; ++k) {
    const Real<T> term = share[k] * exponential<T>(-rate[k] * x);
    screening += term;
    screening_slope -= rate[k] * pair.inverse_length * term;
  }
  Real<T> beyond = r - pair.inner;
  beyond = beyond < T(0) ? zero : beyond;
  const Real<T> square = beyond * beyond, coulomb = pair.charge * inverse_r;
  const Real<T> v = coulomb * screening + square * beyond * (pair.cubic + pair.quartic * beyond) + pair.constant;
  const Real<T> v_slope = coulomb * (screening_slope - screening * inverse_r) +
                          square * (T(3) * pair.cubic + T(4) * pair.quartic * beyond);
  const auto inside = r < pair.outer;
  energy = inside ? T(0.5) * v : zero;
  slope = inside ? T(0.5) * v_slope : zero;
}

}  // namespace
