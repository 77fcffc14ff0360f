// Real spherical harmonics of a unit vector as products Q_lm(z) · Re or Im (x+iy)^m, and the adjoint.

namespace {

// Q: triangular table; re, im: Re and Im of (x+iy)^m, m <= l_max; of `E` edges, e at e · stride of each table.
template <class T, int E>
ADIABAT_PHASE void harmonic_factors(const Harmonics<T> &table, const Real<T> *x, const Real<T> *y, const Real<T> *z,
                             Real<T> *Q, int q_stride, Real<T> *re, Real<T> *im, int stride) {
  for (int e = 0; e < E; ++e) {
    re[e * stride] = all(T(1));
    im[e * stride] = Real<T>{};
  }
  Real<T> a[E], b[E];
  for (int e = 0; e < E; ++e) {
    a[e] = all(T(1));
    b[e] = Real<T>{};
  }
  for (int m = 1; m <= table.l_max; ++m)
    for (int e = 0; e < E; ++e) {
      const Real<T> next = a[e] * x[e] - b[e] * y[e];
      b[e] = a[e] * y[e] + b[e] * x[e];
      a[e] = next;
      re[e * stride + m] = a[e];
      im[e * stride + m] = b[e];
    }
  for (int m = 0; m <= table.l_max; ++m) {
    Real<T> before[E], last[E];
    for (int e = 0; e < E; ++e) {
      before[e] = Real<T>{};
      last[e] = all(table.diagonal[m]);
      Q[e * q_stride + m * (m + 1) / 2 + m] = last[e];
    }
    for (int l = m + 1; l <= table.l_max; ++l) {
      const int lm = l * (l + 1) / 2 + m;
      const T rise = table.rise[lm], fall = table.fall[lm];
      for (int e = 0; e < E; ++e) {
        const Real<T> next = rise * z[e] * last[e] - fall * before[e];
        before[e] = last[e];
        last[e] = next;
        Q[e * q_stride + lm] = next;
      }
    }
  }
}

// Y: (l_max+1)² in the order (0,0), (1,-1), (1,0), (1,1) ...
template <class T>
ADIABAT_PHASE void harmonic_values(int l_max, const Real<T> *Q, const Real<T> *re, const Real<T> *im, Real<T> *Y) {
  for (int l = 0; l <= l_max; ++l) {
    Real<T> *center = Y + l * l + l;
    const Real<T> *q = Q + l * (l + 1) / 2;
    center[0] = q[0];
    for (int m = 1; m <= l; ++m) {
      center[m] = q[m] * re[m];
      center[-m] = q[m] * im[m];
    }
  }
}

// With by_value = ∂E/∂Y_lm and by_slope = ∂E/∂(slope of R at Y_lm): ∂E along the radius, and by x, y, z of the unit vector.
template <class T>
ADIABAT_PHASE void harmonic_adjoint(const Harmonics<T> &table, const Real<T> *Q, const Real<T> *re, const Real<T> *im,
                             const Real<T> *by_value, const Real<T> *by_slope, Real<T> *along, Real<T> *by_unit) {
  Real<T> radial{}, by_x{}, by_y{}, by_z{};
  const int l_max = table.l_max;
  for (int l = 0; l <= l_max; ++l) {  // m = 0
    const int lm = l * (l + 1) / 2;
    radial += Q[lm] * by_slope[l * l + l];
    if (l > 0) by_z += table.slope[lm] * Q[lm + 1] * by_value[l * l + l];
  }
  for (int m = 1; m <= l_max; ++m) {
    Real<T> by_re{}, by_im{};
    for (int l = m; l <= l_max; ++l) {
      const int lm = l * (l + 1) / 2 + m, plus = l * l + l + m, minus = l * l + l - m;
      radial += Q[lm] * (by_slope[plus] * re[m] + by_slope[minus] * im[m]);
      if (l > m) by_z += table.slope[lm] * Q[lm + 1] * (by_value[plus] * re[m] + by_value[minus] * im[m]);
      by_re += Q[lm] * by_value[plus];
      by_im += Q[lm] * by_value[minus];
    }
    by_x += T(m) * (by_re * re[m - 1] + by_im * im[m - 1]);
    by_y += T(m) * (by_im * re[m - 1] - by_re * im[m - 1]);
  }
  *along = radial;
  by_unit[0] = by_x;
  by_unit[1] = by_y;
  by_unit[2] = by_z;
}

}  // namespace
