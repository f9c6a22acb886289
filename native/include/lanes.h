// A row of numbers as vectors: whole ones, and a last one of which only some lanes count.
#pragma once

#include <utility>

#include "simd.h"

namespace thalweg {

struct Whole {
  vf load(const float* p) const { return thalweg::load(p); }
  void store(float* p, vf v) const { thalweg::store(p, v); }
  vf keep(vf v, float = 0) const { return v; }
};

struct Part {
  int64_t n;  // 0 < n < kLanes

  vf load(const float* p) const { return thalweg::load(p, n); }
  void store(float* p, vf v) const { thalweg::store(p, v, n); }

  // v in the lanes that count, `other` in the rest.
  vf keep(vf v, float other = 0) const {
    vi lane;
    for (int i = 0; i < kLanes; ++i) lane[i] = i;
    return lane < static_cast<int32_t>(n) ? v : splat(other);
  }
};

// each(j, lanes) for the vectors of a row of n numbers.
template <typename Each>
inline __attribute__((always_inline)) void along(int64_t n, const Each& each) {
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) each(j, Whole{});
  if (j < n) each(j, Part{n - j});
}

// The terms f(j, lanes) of a row, joined: four chains of them, so that one does not wait for another.
template <typename Join, typename F>
inline __attribute__((always_inline)) vf folded(int64_t n, float start, const Join& join, const F& f) {
  vf s[4] = {splat(start), splat(start), splat(start), splat(start)};
  int64_t j = 0;
  for (; j + 4 * kLanes <= n; j += 4 * kLanes)
    for (int u = 0; u < 4; ++u) s[u] = join(s[u], f(j + u * kLanes, Whole{}));
  for (int u = 0; j + kLanes <= n; j += kLanes, ++u) s[u] = join(s[u], f(j, Whole{}));
  if (j < n) s[3] = join(s[3], Part{n - j}.keep(f(j, Part{n - j}), start));
  return join(join(s[0], s[1]), join(s[2], s[3]));
}

template <int half, int... i>
inline vf rotated(vf v, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(v, v, ((i + half) % kLanes)...);
}

// All lanes joined: halves first, then halves of those.
template <int half = kLanes / 2, typename Join>
inline float across(vf v, const Join& join) {
  v = join(v, rotated<half>(v, std::make_integer_sequence<int, kLanes>()));
  if constexpr (half > 1) return across<half / 2>(v, join);
  else return v[0];
}

inline float total(vf v) {
  return across(v, [](vf a, vf b) { return a + b; });
}

template <typename F>
inline __attribute__((always_inline)) float total(int64_t n, const F& f) {
  return total(folded(n, 0, [](vf a, vf b) { return a + b; }, f));
}

// A NaN may be lost.
template <typename F>
inline __attribute__((always_inline)) float largest(int64_t n, const F& f) {
  const auto join = [](vf a, vf b) { return max(a, b); };
  return across(folded(n, -__builtin_inff(), join, f), join);
}

}  // namespace thalweg
