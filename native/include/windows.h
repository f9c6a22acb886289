// The windows that slide over pictures: where an output place reads, shared by convolution and pooling.
//
//     output place i reads, with tap t, the input place  stride i + dilation t - before;  outside of the input is nothing
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "handler.h"
#include "simd.h"

namespace thalweg {

inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }  // b > 0

struct Axis {
  int64_t in, out, taps, stride, dilation, before;

  int64_t place(int64_t i, int64_t t) const { return stride * i + dilation * t - before; }

  // The outputs of [first, end) read inside of the input with tap t.
  int64_t first(int64_t t) const { return std::clamp<int64_t>(-floor_div(dilation * t - before, stride), 0, out); }
  int64_t end(int64_t t) const {
    return std::clamp<int64_t>(floor_div(in - 1 + before - dilation * t, stride) + 1, first(t), out);
  }
  // How many of output i's taps read inside, where the dilation is 1.
  int64_t inside(int64_t i) const {
    return std::max<int64_t>(0, std::min(taps, in - place(i, 0)) - std::max<int64_t>(0, -place(i, 0)));
  }
  // The output that reads input place p with tap t, or -1.
  int64_t reader(int64_t p, int64_t t) const {
    const int64_t q = p + before - dilation * t;
    return q >= 0 && q % stride == 0 && q / stride < out ? q / stride : -1;
  }
};

// The window's numbers as an attribute: stride, dilation and `before` of the height, then of the width.
inline bool sane(Dims window) {
  if (window.size() < 6) return false;
  for (size_t i = 0; i < 6; ++i) {
    const int64_t least = i % 3 == 2 ? -(int64_t{1} << 30) : 1;
    if (window[i] < least || window[i] > int64_t{1} << 30) return false;
  }
  return true;
}

inline Axis axis(Dims window, int i, int64_t in, int64_t out, int64_t taps) {
  return {in, out, taps, window[3 * i], window[3 * i + 1], window[3 * i + 2]};
}

// The product of the axes in front of the last `kept` ones.
inline int64_t leading(Dims dims, size_t kept) {
  int64_t n = 1;
  for (size_t i = 0; i + kept < dims.size(); ++i) n *= dims[i];
  return n;
}

// visit(first channel, how many of a vector) over all channels
template <typename Visit>
inline void vectors(int64_t channels, const Visit& visit) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) visit(c, std::integral_constant<int64_t, kLanes>{});
  if (c < channels) visit(c, channels - c);
}

inline vf some(const float* p, int64_t n) { return load(p, n); }
inline vf some(const float* p, std::integral_constant<int64_t, kLanes>) { return load(p); }
inline void put(float* p, vf v, int64_t n) { store(p, v, n); }
inline void put(float* p, vf v, std::integral_constant<int64_t, kLanes>) { store(p, v); }

inline void copy(float* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  if (i < n && n >= kLanes) store(to + n - kLanes, load(from + n - kLanes));
  else for (; i < n; ++i) to[i] = from[i];
}

inline void clear(float* to, int64_t n) { std::fill(to, to + n, 0.0f); }

}  // namespace thalweg
