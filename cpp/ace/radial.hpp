// Radial functions of a chunk of edges, and the repulsion.

namespace {

// R_k = g_k(r) s(r) and, where slopes are wanted, R_k' by r.
template <class T, bool with_slopes>
inline void radial_functions(const Radial<T> &radial, const Pair<T> &pair, Real<T> r, Real<T> inverse_r, Real<T> *value,
                             Real<T> *slope) {
  const auto inside = r < radial.cutoff;
  const Real<T> zero{};
  Real<T> sine, cosine;
  sine_cosine_of_pi<T>(inside ? r * (T(1) / radial.cutoff) : all(T(1)), sine, cosine);
  Real<T> t = (r - pair.inner_radius) * pair.inner_inverse_width + T(1);
  t = t < T(0) ? zero : t;
  t = t > T(1) ? all(T(1)) : t;
  const Real<T> t2 = t * t, rest = T(1) - t;
  Real<T> scale = t2 * t * (T(10) - T(15) * t + T(6) * t2) * inverse_r;
  Real<T> scale_slope = T(30) * t2 * rest * rest * pair.inner_inverse_width * inverse_r - scale * inverse_r;
  scale = inside ? scale : zero;
  scale_slope = inside ? scale_slope : zero;
  Real<T> sine_k = sine, cosine_k = cosine, u = zero, u_slope = zero;
  for (int k = 0; k < radial.count; ++k) {
    const Real<T> sine_next = sine_k * cosine + cosine_k * sine;
    const Real<T> cosine_next = cosine_k * cosine - sine_k * sine;
    u = radial.alpha[k] * sine_k + radial.beta[k] * sine_next + radial.carry[k] * u;
    value[k] = u * scale;
    if constexpr (with_slopes) {
      u_slope = radial.slope[k] * (cosine_k + cosine_next) + radial.carry[k] * u_slope;
      slope[k] = u_slope * scale + u * scale_slope;
    }
    sine_k = sine_next;
    cosine_k = cosine_next;
  }
}

// Half of V(r) of adiabat.physics.zbl, and half its slope.
template <class T>
inline void repulsion(const Pair<T> &pair, Real<T> r, Real<T> inverse_r, Real<T> &energy, Real<T> &slope) {
  constexpr T share[4] = {T(0.18175), T(0.50986), T(0.28022), T(0.02817)};
  constexpr T rate[4] = {T(3.19980), T(0.94229), T(0.40290), T(0.20162)};
  const Real<T> zero{}, x = r * pair.inverse_length;
  Real<T> screening = zero, screening_slope = zero;
  for (int k = 0; k < 4; ++k) {
    const Real<T> term = share[k] * exponential<T>(-rate[k] * x);
    screening += term;
    screening_slope -= rate[k] * pair.inverse_length * term;
  }
  Real<T> beyond = r - pair.repulsion_inner;
  beyond = beyond < T(0) ? zero : beyond;
  const Real<T> square = beyond * beyond, coulomb = pair.charge * inverse_r;
  const Real<T> v = coulomb * screening + square * beyond * (pair.cubic + pair.quartic * beyond) + pair.constant;
  const Real<T> v_slope = coulomb * (screening_slope - screening * inverse_r) +
                          square * (T(3) * pair.cubic + T(4) * pair.quartic * beyond);
  const auto inside = r < pair.repulsion_outer;
  energy = inside ? T(0.5) * v : zero;
  slope = inside ? T(0.5) * v_slope : zero;
}

}  // namespace
