// bfloat16: the upper half of a float32, rounded to the nearest, ties to even.
#pragma once

#include <cstdint>

#include "simd.h"

namespace thalweg {

typedef uint16_t vh __attribute__((vector_size(kLanes * 2)));
typedef uint16_t vh_any __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline vf widened(vh v) { return (vf)(__builtin_convertvector(v, vu) << 16); }

inline vh narrowed(vf x) {
  const vu bits = (vu)x;
  const vu rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const vu quiet = (bits >> 16) | 0x40;  // of a NaN, which rounding could make infinite
  return __builtin_convertvector((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded, vh);
}

inline vh load(const uint16_t* p) { return *reinterpret_cast<const vh_any*>(p); }
inline void store(uint16_t* p, vh v) { *reinterpret_cast<vh_any*>(p) = v; }

inline void widen(const uint16_t* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, widened(load(from + i)));
  for (; i < n; ++i) to[i] = widened(vh{} + from[i])[0];
}

inline void narrow(const float* from, uint16_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, narrowed(load(from + i)));
  for (; i < n; ++i) to[i] = narrowed(splat(from[i]))[0];
}

}  // namespace thalweg
