// What follows the sums of a product or a convolution before they are written: bias, ReLU, GELU with its slope, and another
// matrix of C's shape. What there is of it is known when it runs, so that a product is compiled once.
#pragma once

#include "tile.h"

namespace thalweg {

enum class Join {
  kAdd,    // a shortcut
  kScale,  // by an activation's slope
  kMask,   // 0 where the other is not above 0, as a ReLU's result is
};

struct Ending {
  const float* bias = nullptr;  // a number for each column, or nothing
  bool relu = false;
  // z [rows, vectors] becomes the activation of it, whose slope goes to `to`; the last vector has `last` columns.
  void (*curve)(float* z, int64_t rows, int64_t vectors, float* to, int64_t columns, int64_t last) = nullptr;
  float* slope = nullptr;        // of C's shape, or nothing
  const float* other = nullptr;  // of C's shape, or nothing
  int64_t columns = 0;           // of `slope` and `other`
  Join join = Join::kAdd;

  bool empty() const { return !bias && !relu && !curve && !other; }

  // Lines that it will read or write for the numbers from `row` and `column` on.
  void fetch(int64_t row, int64_t column, int64_t rows, int64_t wide) const {
    for (int64_t i = row; other && i < row + rows; ++i)
      for (int64_t j = 0; j < wide; j += kLine) __builtin_prefetch(other + i * columns + column + j);
    for (int64_t i = row; slope && i < row + rows; ++i)
      for (int64_t j = 0; j < wide; j += kLine) __builtin_prefetch(slope + i * columns + column + j, 1);
  }

  // A NaN stays one.
  vf rectified(vf v) const { return relu ? (v < 0.0f ? vf{} : v) : v; }

  vf joined(vf v, vf x) const {
    return join == Join::kAdd ? v + x : join == Join::kScale ? v * x : x > 0.0f ? v : vf{};
  }

  // Bias and ReLU of a vector of neighbouring columns.
  vf operator()(vf v, int64_t column) const { return rectified(bias ? v + load(bias + column) : v); }

  // A tile whose first number is at `row` and `column`.
  template <int M, int N>
  inline __attribute__((always_inline)) void operator()(Tile<M, N>& t, int64_t row, int64_t column, int64_t last) const {
    using T = Tile<M, N>;
    if (bias)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) {
        const vf b = T::part(bias + column, j, last);
#pragma GCC unroll 16
        for (int i = 0; i < M; ++i) t.sum[i][j] += b;
      }
    if (relu)
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < N; ++j) t.sum[i][j] = rectified(t.sum[i][j]);
    if (curve) {
      float z[M * N * kLanes];
      t.write(z, N * kLanes, kLanes);
      curve(z, M, N, slope ? slope + row * columns + column : nullptr, columns, last);
      t.read(z, N * kLanes, kLanes);
    }
    if (other)
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < N; ++j) t.sum[i][j] = joined(t.sum[i][j], T::part(other + (row + i) * columns + column, j, last));
  }
};

}  // namespace thalweg
