// 1 / x, the square root and its inverse, exp, tanh, sigmoid and erf on vectors, within 4 units in the last place of float32; NaN and Inf as the functions have them.
#pragma once

#include "simd.h"

namespace thalweg {

inline vf as_float(vi v) { return (vf)v; }
inline vi as_int(vf v) { return (vi)v; }
inline vf absolute(vf x) { return as_float(as_int(x) & 0x7fffffff); }
inline vf with_sign_of(vf x, vf sign) {
  return as_float((as_int(x) & 0x7fffffff) | (as_int(sign) & static_cast<int32_t>(0x80000000)));
}

// A vector's division and square root take 16 and more cycles; an estimate of 14 bits and a step of Newton's take half.
// Where the step has no sense (0, Inf) the estimate is exact. Beyond 2^126 the reciprocal may be 0.
#if defined(__AVX512F__)
inline vf refined(vf y, vf estimate) { return y == y ? y : estimate; }

inline vf reciprocal(vf x) {
  const vf r = (vf)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  return refined(r + r * (1.0f - x * r), r);
}

inline vf inverse_root(vf x) {
  const vf r = (vf)_mm512_maskz_rsqrt14_ps(0xffff, (__m512)x);
  return refined(r + 0.5f * r * (1.0f - x * r * r), r);
}

inline vf root(vf x) {
  const vf r = (vf)_mm512_maskz_rsqrt14_ps(0xffff, (__m512)x), y = x * r;
  return x == 0.0f || x == __builtin_inff() ? x : y + 0.5f * y * (1.0f - y * r);
}
#else
inline vf root(vf x) {
#if defined(__AVX2__)
  return (vf)_mm256_sqrt_ps((__m256)x);
#else
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

inline vf reciprocal(vf x) { return 1.0f / x; }
inline vf inverse_root(vf x) { return 1.0f / root(x); }
#endif

// e^x = 2^n e^r, n the nearest integer to x / ln 2, e^r by its Taylor series to degree 7 for |r| <= ln 2 / 2.
inline vf exp(vf x) {
  const vf low = splat(-104.0f), high = splat(89.0f);
  const vf z = x < low ? low : x > high ? high : x;  // a NaN stays
  const vf round = splat(12582912.0f);               // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const vf shifted = z * 1.44269504088896341f + round;
  const vf n = shifted - round;
  const vf r = (z - n * 0.693359375f) + n * 2.12194440e-4f;
  vf p = splat(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // 2^n in two factors, since n reaches from -150 to 128
  const vi whole = as_int(shifted) - as_int(round), half = whole >> 1;
  return p * as_float((half + 127) << 23) * as_float((whole - half + 127) << 23);
}

inline vf sigmoid(vf x) { return reciprocal(1.0f + exp(-x)); }

// (1 - e^(-2|x|)) / (1 + e^(-2|x|)); near 0, where that cancels, the odd Taylor series.
inline vf tanh(vf x) {
  const vf a = absolute(x);
  const vf e = exp(a * -2.0f);
  const vf far = (1.0f - e) * reciprocal(1.0f + e);
  const vf s = x * x;
  vf p = splat(-0.008863235529f);        // -1382/155925
  p = p * s + 0.021869488536f;           // 62/2835
  p = p * s - 0.053968253968f;           // -17/315
  p = p * s + 0.133333333333f;           // 2/15
  p = p * s - 0.333333333333f;           // -1/3
  const vf near = a + a * s * p;
  return with_sign_of(a < 0.3f ? near : far, x);
}

// erf(x) = x P(x^2) for |x| < 4, else 1 with the sign of x. P is the polynomial of degree 16 in w = x^2 / 8 - 1 that is
// closest to erf(x) / x by least squares at Chebyshev's places; in w its terms do not cancel. Within 2e-7.
inline vf erf(vf x) {
  constexpr float terms[] = {
      0.000496464199f, -0.00133067486f, 0.000998256844f, -0.00122697046f, 0.00498774368f, -0.00987325143f,
      0.0143803172f, -0.0218151994f, 0.0330086462f, -0.0459560044f, 0.0599056073f, -0.0746988803f, 0.0902062878f,
      -0.107712395f, 0.131675258f, -0.176576197f, 0.353531003f};
  const vf a = absolute(x);
  const vf z = a > 4.0f ? splat(4.0f) : a, w = z * z * 0.125f - 1.0f;  // a NaN stays
  vf p = splat(terms[0]);
#pragma GCC unroll 16
  for (int i = 1; i < 17; ++i) p = p * w + terms[i];
  return with_sign_of(a > 3.92f ? splat(1.0f) : z * p, x);
}

}  // namespace thalweg
