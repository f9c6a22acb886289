// A matrix transposed through registers, a square of kLanes x kLanes at a time (Eklundh 1972).
#pragma once

#include <algorithm>
#include <utility>

#include "simd.h"

namespace thalweg {

// With rows r and r + s of a square, lanes that differ in the bit s change places.
template <int s, int... i>
inline void exchange(vf& a, vf& b, std::integer_sequence<int, i...>) {
  const vf low = __builtin_shufflevector(a, b, ((i & s) ? kLanes + i - s : i)...);
  b = __builtin_shufflevector(a, b, ((i & s) ? kLanes + i : i + s)...);
  a = low;
}

template <int s>
inline __attribute__((always_inline)) void exchange_rows(vf* v) {
  if constexpr (s < kLanes) {
#pragma GCC unroll 16
    for (int r = 0; r < kLanes; ++r)
      if (!(r & s)) exchange<s>(v[r], v[r + s], std::make_integer_sequence<int, kLanes>());
    exchange_rows<2 * s>(v);
  }
}

inline int64_t whole_vectors(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// to [columns, whole_vectors(rows)] = the transpose of from [rows, columns], whose rows lie `stride` apart; 0 beyond.
inline void transpose(const float* from, int64_t rows, int64_t columns, int64_t stride, float* to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; i += kLanes)
    for (int64_t j = 0; j < columns; j += kLanes) {
      const int64_t height = std::min<int64_t>(kLanes, rows - i), width = std::min<int64_t>(kLanes, columns - j);
      vf v[kLanes];
#pragma GCC unroll 16
      for (int r = 0; r < kLanes; ++r) {
        const float* const at = from + (i + r) * stride + j;
        v[r] = r >= height ? vf{} : width == kLanes ? load(at) : load(at, width);
      }
      exchange_rows<1>(v);
#pragma GCC unroll 16
      for (int r = 0; r < kLanes; ++r)
        if (r < width) store(to + (j + r) * to_stride + i, v[r]);
    }
}

}  // namespace thalweg
