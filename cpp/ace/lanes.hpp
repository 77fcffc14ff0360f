// Vectors of one number per atom, and the functions of them that the walk needs. Included by each instruction set's unit.

// Phases of the walk are compiled apart: together they are slower, the compiler running out of registers.
#define ADIABAT_PHASE __attribute__((noinline))

namespace {

template <class T>
struct Lane;
template <>
struct Lane<double> {
  typedef double Real __attribute__((vector_size(ADIABAT_VECTOR_BYTES)));
  typedef long long Bits __attribute__((vector_size(ADIABAT_VECTOR_BYTES)));
  typedef Real Sum;
  static constexpr int count = ADIABAT_VECTOR_BYTES / 8;
};
template <>
struct Lane<float> {
  typedef float Real __attribute__((vector_size(ADIABAT_VECTOR_BYTES)));
  typedef int Bits __attribute__((vector_size(ADIABAT_VECTOR_BYTES)));
  typedef double Sum __attribute__((vector_size(2 * ADIABAT_VECTOR_BYTES)));
  static constexpr int count = ADIABAT_VECTOR_BYTES / 4;
};

template <class T>
using Real = typename Lane<T>::Real;
template <class T>
using Sum = typename Lane<T>::Sum;

template <class T>
inline Real<T> all(T value) {
  return value - Real<T>{};
}

template <class T>
inline Sum<T> widened(Real<T> value) {
  return __builtin_convertvector(value, Sum<T>);
}

template <class V>
inline V root(V x) {
#if ADIABAT_VECTOR_BYTES == 64
  if constexpr (sizeof(x[0]) == 8)
    return (V)_mm512_maskz_sqrt_pd(-1, (__m512d)x);
  else
    return (V)_mm512_maskz_sqrt_ps(-1, (__m512)x);
#elif ADIABAT_VECTOR_BYTES == 32
  if constexpr (sizeof(x[0]) == 8)
    return (V)_mm256_sqrt_pd((__m256d)x);
  else
    return (V)_mm256_sqrt_ps((__m256)x);
#else
  if constexpr (sizeof(x[0]) == 8)
    return (V)_mm_sqrt_pd((__m128d)x);
  else
    return (V)_mm_sqrt_ps((__m128)x);
#endif
}

template <class Mask>
inline bool any(Mask mask) {
  for (unsigned s = 0; s < sizeof(mask) / sizeof(mask[0]); ++s)
    if (mask[s]) return true;
  return false;
}

// sin(πu) and cos(πu) for 0 <= u <= 1: with x = π(u - 1/2) they are cos x and -sin x, by their Taylor series to below the
// last digit at |x| = π/2.
template <class T>
inline void sine_cosine_of_pi(Real<T> u, Real<T> &sine, Real<T> &cosine) {
  constexpr int terms = sizeof(T) == 8 ? 11 : 7;
  const Real<T> x = T(3.14159265358979323846) * (u - T(0.5));
  const Real<T> square = x * x;
  Real<T> s = all(T(1)), c = all(T(1));
#pragma GCC unroll 11
  for (int k = terms; k >= 1; --k) {
    s = T(1) - square * (T(1) / T((2 * k) * (2 * k + 1))) * s;
    c = T(1) - square * (T(1) / T((2 * k - 1) * (2 * k))) * c;
  }
  sine = c;
  cosine = -x * s;
}

// e^x for x <= 0; below -80 as e^-80.
template <class T>
inline Real<T> exponential(Real<T> x) {
  using Bits = typename Lane<T>::Bits;
  constexpr bool is_double = sizeof(T) == 8;
  constexpr int mantissa = is_double ? 52 : 23, bias = is_double ? 1023 : 127, terms = is_double ? 13 : 7;
  const T shifter = is_double ? T(6755399441055744.0) : T(12582912.0f);  // 1.5 · 2^mantissa: rounds to an integer
  x = x < T(-80) ? all(T(-80)) : x;
  const Real<T> shifted = x * T(1.44269504088896340736) + shifter;
  const Real<T> n = shifted - shifter;
  // ln 2 in two parts, the first with trailing zeros, so that n times it is exact.
  const Real<T> f = is_double ? (x - n * T(6.93147180369123816490e-01)) - n * T(1.90821492927058770002e-10)
                              : (x - n * T(6.93359375e-01)) - n * T(-2.12194440e-4);
  Real<T> sum = all(T(1));
#pragma GCC unroll 13
  for (int k = terms; k >= 1; --k) sum = T(1) + f * (T(1) / T(k)) * sum;
  const Bits exponent = ((Bits)shifted - (Bits)all(shifter) + bias) << mantissa;
  return sum * (Real<T>)exponent;
}

}  // namespace
