// 1 / x, the square root and its inverse, exp, tanh, sigmoid and the normal distribution on vectors, within 4 units
// in the last place of float32, in the distribution's tails some more; NaN and Inf as the functions have them.
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

inline vf reciprocal_of_finite(vf x) {
  const vf r = (vf)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  return r + r * (1.0f - x * r);
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
inline vf reciprocal_of_finite(vf x) { return 1.0f / x; }
inline vf inverse_root(vf x) { return 1.0f / root(x); }
#endif

// x within its bounds; a NaN stays.
inline vf clamped(vf x, float low, float high) {
#if defined(__AVX512F__)  // of a NaN and a number these give the second
  return (vf)_mm512_maskz_min_ps(0xffff, (__m512)splat(high), _mm512_maskz_max_ps(0xffff, (__m512)splat(low), (__m512)x));
#else
  return x < splat(low) ? splat(low) : x > splat(high) ? splat(high) : x;
#endif
}

// p 2^n, n the whole number that `round` was added to.
inline vf scaled(vf p, vf n, vf shifted, vf round) {
#if defined(__AVX512F__)
  (void)shifted, (void)round;
  return (vf)_mm512_maskz_scalef_ps(0xffff, (__m512)p, (__m512)n);
#else
  // in two factors, since n reaches from -150 to 128
  const vi whole = as_int(shifted) - as_int(round), half = whole >> 1;
  (void)n;
  return p * as_float((half + 127) << 23) * as_float((whole - half + 127) << 23);
#endif
}

// e^x = 2^n e^r, n the nearest integer to x / ln 2, e^r = 1 + r + r^2 P(r), P the closest to it of degree 4 for
// |r| <= ln 2 / 2, within 3e-9. The result has its sense for -104 <= x <= 89.
inline vf exp_within(vf z) {
  const vf round = splat(12582912.0f);               // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const vf shifted = z * 1.44269504088896341f + round;
  const vf n = shifted - round;
  const vf r = (z - n * 0.693359375f) + n * 2.12194440e-4f;
  vf p = splat(0.00138146106f);
  p = p * r + 0.00836871725f;
  p = p * r + 0.0416683878f;
  p = p * r + 0.166665206f;
  p = p * r + 0.499999934f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return scaled(p, n, shifted, round);
}

inline vf exp(vf x) { return exp_within(clamped(x, -104.0f, 89.0f)); }

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

struct Normal {
  vf below, bell;  // Phi(x), and exp(-x^2 / 2), which is phi(x) sqrt(2 pi)
};

// The normal distribution: Phi(-|x|) = erfc(a) / 2 = exp(-a^2) t P(t), a = |x| / sqrt 2, t = 1 / (1 + 0.375 a). P is the
// polynomial of degree 8 that is closest to it, within 2e-8 of its size for a <= 10.
inline Normal normal(vf x) {
  constexpr float terms[] = {0.0307833886f, -0.143726248f, 0.216311525f, -0.114819878f, 0.136930889f,
                             0.0607270216f, 0.102662393f, 0.105324140f, 0.105806773f};
  const vf a = clamped(absolute(x), 0.0f, 14.4f);
  const vf t = reciprocal_of_finite(1.0f + 0.265165043f * a), bell = exp_within(a * a * -0.5f);
  vf p = splat(terms[0]);
#pragma GCC unroll 8
  for (int i = 1; i < 9; ++i) p = p * t + terms[i];
  const vf tail = p * t * bell;
  return {x > 0.0f ? 1.0f - tail : tail, bell};
}

}  // namespace thalweg
