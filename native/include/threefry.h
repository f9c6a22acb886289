// Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), kLanes counters at
// a time. thalweg/random.py has the same generator in JAX: word p of a key is an output at counter
// (16 (p / 32) + p % 16, 0), the first where p % 32 < 16, else the second.
#pragma once

#include "simd.h"

namespace thalweg {

template <int r>
inline vu rotated(vu x) {
  return (x << r) | (x >> (32 - r));
}

template <int a, int b, int c, int d>
inline void four_rounds(vu& x, vu& y) {
  x += y, y = rotated<a>(y) ^ x;
  x += y, y = rotated<b>(y) ^ x;
  x += y, y = rotated<c>(y) ^ x;
  x += y, y = rotated<d>(y) ^ x;
}

constexpr int64_t kHalf = 16;  // counters whose first outputs lie before their second ones
static_assert(kHalf % kLanes == 0);

struct Words {
  vu first, second;
};

// Both outputs of counters at, at + 1, ..
inline Words random_words(uint32_t k0, uint32_t k1, uint32_t at) {
  const uint32_t k2 = k0 ^ k1 ^ 0x1BD11BDAu;
  vu x, y = splat(k1);
  for (int i = 0; i < kLanes; ++i) x[i] = i;
  x += at + k0;
  four_rounds<13, 15, 26, 6>(x, y);
  x += k1, y += k2 + 1;
  four_rounds<17, 29, 16, 24>(x, y);
  x += k2, y += k0 + 2;
  four_rounds<13, 15, 26, 6>(x, y);
  x += k0, y += k1 + 3;
  four_rounds<17, 29, 16, 24>(x, y);
  x += k1, y += k2 + 4;
  four_rounds<13, 15, 26, 6>(x, y);
  return {x + k2, y + k0 + 5};
}

}  // namespace thalweg
