// What follows the sums of a product or a convolution before they are written: the bias, and the ReLU.
#pragma once

#include "tile.h"

namespace thalweg {

struct Ending {
  const float* bias = nullptr;  // a number for each column, or nothing
  bool relu = false;

  void fetch(int64_t, int64_t, int64_t) const {}

  // A NaN stays one.
  vf rectified(vf v) const { return relu ? (v < 0.0f ? vf{} : v) : v; }

  // A vector of neighbouring columns.
  vf operator()(vf v, int64_t column) const { return rectified(bias ? v + load(bias + column) : v); }

  template <int M, int N>
  void operator()(Tile<M, N>& t, int64_t, int64_t column, int64_t last) const {
    for (int j = 0; j < N; ++j) {
      const float* const at = bias + column + j * kLanes;
      const vf b = !bias ? vf{} : j + 1 < N || last == kLanes ? load(at) : load(at, last);
      for (int i = 0; i < M; ++i) t.sum[i][j] = rectified(t.sum[i][j] + b);
    }
  }
};

}  // namespace thalweg
