// The matrix product C = A B of float32 matrices of any strides, in the manner of Goto & van de Geijn 2008, "Anatomy of
// high-performance matrix multiplication".
//
// Small products read A and B where they lie. Large ones, and those whose B has no rows side by side, first copy B into
// panels as wide as a tile, and A into blocks that stay in the second cache.
#pragma once

#include <algorithm>
#include <cstdint>

#include "parallel.h"
#include "scratch.h"
#include "tile.h"

namespace thalweg {

inline constexpr int64_t kDepth = 256;      // of a block: terms added before C is written and read again
inline constexpr int64_t kRows = 240;       // of a block of A; a multiple of every tile's rows at 32 registers
inline constexpr int64_t kPanel = 2 * kLanes;
inline constexpr int64_t kInCache = 1 << 18;  // numbers of B that the second cache holds beside the rest

struct Matrix {
  const float* at;
  int64_t row, column;  // strides
};

// After the last term of a block of C: what becomes of a row's numbers. The default leaves them.
struct Plain {
  template <int M, int N>
  void operator()(Tile<M, N>&, int64_t, int64_t, int64_t) const {}
};

// C [m, n] (its columns side by side) = A [m, K] B [K, n], or += where `add`; `finish(tile, row, column, last)` at the end.
template <typename Finish = Plain>
inline void product_in_place(int64_t m, int64_t n, int64_t K, Strided a, const float* b, int64_t b_row, float* c,
                             int64_t c_row, bool add, const Finish& finish = {}) {
  tiles(m, n, [&](auto M, auto N, int64_t i, int64_t j, int64_t last) {
    Tile<decltype(M)::value, decltype(N)::value> t;
    if (add) t.read(c + i * c_row + j, c_row, last);
    else t.zero();
    t.add(K, {a.at + i * a.row, a.row, a.k}, b + j, b_row, last);
    finish(t, i, j, last);
    t.write(c + i * c_row + j, c_row, last);
  });
}

// B's rows k < K and its columns, kPanel at most, side by side as [K, kPanel], filled up with zeros.
inline void pack_panel(Matrix b, int64_t K, int64_t columns, float* to) {
  if (columns < kPanel) std::fill(to, to + K * kPanel, 0.0f);
  if (b.column == 1) {
    for (int64_t k = 0; k < K; ++k) std::copy_n(b.at + k * b.row, columns, to + k * kPanel);
    return;
  }
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t k = 0; k < K; ++k) to[k * kPanel + j] = b.at[k * b.row + j * b.column];
}

// A's rows i < m and columns k < K as [m, K].
inline void pack_rows(Matrix a, int64_t m, int64_t K, float* to) {
  if (a.column == 1) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(a.at + i * a.row, K, to + i * K);
    return;
  }
  constexpr int64_t kBlock = 16;  // rows that share their lines of memory
  for (int64_t first = 0; first < m; first += kBlock)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t i = first; i < std::min(m, first + kBlock); ++i) to[i * K + k] = a.at[i * a.row + k * a.column];
}

template <typename Finish = Plain>
void product(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c, bool add = false,
             const Finish& finish = {}) {
  const int64_t cost = 2 * m * n * K;
  const bool packed = b.column != 1 || (m >= 64 && n * K > kInCache);
  if (!packed) {
    // rows of C are dealt out where there are many, columns elsewhere
    const int64_t block = std::max<int64_t>(12, (m + 7) / 8 / 12 * 12);
    if (m >= 48) {
      parallel_blocks(pool, m, block, cost, [&](int64_t i, int64_t end) {
        product_in_place(end - i, n, K, {a.at + i * a.row, a.row, a.column}, b.at, b.row, c + i * n, n, add,
                         [&](auto& t, int64_t r, int64_t j, int64_t last) { finish(t, i + r, j, last); });
      });
    } else {
      parallel_blocks(pool, n, 4 * kLanes, cost, [&](int64_t j, int64_t end) {
        product_in_place(m, end - j, K, {a.at, a.row, a.column}, b.at + j, b.row, c + j, n, add,
                         [&](auto& t, int64_t r, int64_t q, int64_t last) { finish(t, r, j + q, last); });
      });
    }
    return;
  }
  const int64_t panels = (n + kPanel - 1) / kPanel;
  for (int64_t k = 0; k == 0 || k < K; k += kDepth) {  // once for K = 0 too: C is then zero
    const int64_t depth = std::min(kDepth, K - k);
    const bool first = k == 0, final = k + depth == K;
    float* const panel = scratch<float>(0, panels * kPanel * depth);
    parallel_blocks(pool, panels, 8, 8 * n * depth, [&](int64_t p, int64_t end) {
      for (; p < end; ++p)
        pack_panel({b.at + k * b.row + p * kPanel * b.column, b.row, b.column}, depth, std::min(kPanel, n - p * kPanel),
                   panel + p * kPanel * depth);
    });
    // few rows, as of a weight's gradient, must make blocks for several threads too
    const int64_t rows_together = std::clamp<int64_t>((m + 47) / 48 * 12, 24, kRows);
    parallel_blocks(pool, m, rows_together, cost, [&](int64_t i, int64_t end) {
      const int64_t rows = end - i;
      float* const block = scratch<float>(1, kRows * depth);
      pack_rows({a.at + i * a.row + k * a.column, a.row, a.column}, rows, depth, block);
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t j = p * kPanel;
        product_in_place(rows, std::min(kPanel, n - j), depth, {block, depth, 1}, panel + j * depth, kPanel,
                         c + i * n + j, n, add || !first, [&](auto& t, int64_t r, int64_t q, int64_t last) {
                           if (final) finish(t, i + r, j + q, last);
                         });
      }
    });
  }
}

}  // namespace thalweg
