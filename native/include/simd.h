// Vectors as wide as the instruction set this file is compiled for, by the compiler's own vector types.
//
// The library is built once per instruction set, so a kernel is written once, in terms of `vf` and `kLanes`.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace thalweg {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
inline constexpr int kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 16;
#endif

#if defined(__AVX512F__)
inline constexpr bool kMasks = true;  // some lanes of a vector are read and written as fast as all of them
#else
inline constexpr bool kMasks = false;
#endif

typedef float vf __attribute__((vector_size(kLanes * 4)));
typedef int32_t vi __attribute__((vector_size(kLanes * 4)));
typedef uint32_t vu __attribute__((vector_size(kLanes * 4)));
typedef float vf_any __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint32_t vu_any __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

inline vf load(const float* p) { return *reinterpret_cast<const vf_any*>(p); }
inline void store(float* p, vf v) { *reinterpret_cast<vf_any*>(p) = v; }
inline vu load(const uint32_t* p) { return *reinterpret_cast<const vu_any*>(p); }
inline void store(uint32_t* p, vu v) { *reinterpret_cast<vu_any*>(p) = v; }
inline vf splat(float x) { return x - vf{}; }
inline vu splat(uint32_t x) { return x - vu{}; }

// The first n lanes, 0 < n <= kLanes; the others are zero and are not read.
inline vf load(const float* p, int64_t n) {
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
#else
  vf v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}

inline void store(float* p, vf v, int64_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
#else
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}

inline float sum(vf v) {
  float s = 0;
  for (int i = 0; i < kLanes; ++i) s += v[i];
  return s;
}

inline bool any(vi mask) {
  int32_t all = 0;
  for (int i = 0; i < kLanes; ++i) all |= mask[i];
  return all != 0;
}

inline vf max(vf a, vf b) { return a > b ? a : b; }
inline vf min(vf a, vf b) { return a < b ? a : b; }

}  // namespace thalweg
