// The smallest products: of a block of A with panels of B, columns as wide as a tile, side by side in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tile.h"
#include "transpose.h"

namespace thalweg {

inline constexpr int64_t kShallow = 256;    // terms of a convolution's panel, which stays in the first cache
inline constexpr int64_t kRows = 264;       // of a block of A
inline constexpr int64_t kPanel = 2 * kLanes;

struct Matrix {
  const float* at;
  int64_t row, column;  // strides
};

// After the last term of a block of C: what becomes of a row's numbers, and before the first what is to be fetched for it.
// The default leaves them, and needs nothing.
struct Plain {
  template <int M, int N>
  void operator()(Tile<M, N>&, int64_t, int64_t, int64_t) const {}
  void fetch(int64_t, int64_t, int64_t) const {}
};

// A tile meets a matrix of C's shape: each number becomes join(it, the other's).
template <typename Join>
struct Met {
  const float* other;
  int64_t columns;
  Join join;

  void fetch(int64_t row, int64_t column, int64_t rows) const {
    for (int64_t i = row; i < row + rows; ++i)
      for (int64_t j = 0; j < kPanel; j += kLine) __builtin_prefetch(other + i * columns + column + j);
  }

  template <int M, int N>
  void operator()(Tile<M, N>& t, int64_t row, int64_t column, int64_t last) const {
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < N; ++j) {
        const float* const at = other + (row + i) * columns + column + j * kLanes;
        t.sum[i][j] = join(t.sum[i][j], j + 1 < N || last == kLanes ? load(at) : load(at, last));
      }
  }
};

template <typename Join>
Met(const float*, int64_t, Join) -> Met<Join>;

// C [m, n] (its columns side by side) = A [m, K] B [K, n], or += where `add`; `finish(tile, row, column, last)` at the end.
template <typename Finish = Plain, typename Ask = NothingAhead>
inline void product_in_place(int64_t m, int64_t n, int64_t K, Strided a, const float* b, int64_t b_row, float* c,
                             int64_t c_row, bool add, const Finish& finish = {}, Ask ask = {}) {
  tiles(m, n, [&](auto M, auto N, int64_t i, int64_t j, int64_t last) {
    Tile<decltype(M)::value, decltype(N)::value> t;
    if (add) t.read(c + i * c_row + j, c_row, last);
    else t.start(c + i * c_row + j, c_row);
    t.add(K, {a.at + i * a.row, a.row, a.k}, b + j, b_row, last, ask);
    finish(t, i, j, last);
    t.write(c + i * c_row + j, c_row, last);
  });
}

// B's rows k < K in panels [columns / kPanel, K, kPanel], the last one filled up with zeros.
inline void pack_panels(Matrix b, int64_t K, int64_t columns, float* panel) {
  for (int64_t j = 0; j < columns; j += kPanel, panel += K * kPanel) {
    const int64_t wide = std::min(kPanel, columns - j);
    const float* from = b.at + j * b.column;
    if (wide < kPanel) std::fill(panel, panel + K * kPanel, 0.0f);
    if (b.column != 1) transpose(from, wide, K, b.column, panel, kPanel);
    else if (wide < kPanel) for (int64_t k = 0; k < K; ++k) std::copy_n(from + k * b.row, wide, panel + k * kPanel);
    else for (int64_t k = 0; k < K; ++k) std::memcpy(panel + k * kPanel, from + k * b.row, kPanel * sizeof(float));
  }
}

}  // namespace thalweg
