// The matrix product C = A B of float32 matrices of any strides, in the manner of Goto & van de Geijn 2008, "Anatomy of
// high-performance matrix multiplication".
//
// Products of few rows read A and B where they lie. The others are cut into tasks that share nothing: a block of C, and
// where C is small a part of K whose sums are added up at the end. A task copies its part of B into panels as wide as a
// tile, and its part of A, where that lies scattered, into a block that stays in the second cache. That two tasks copy the
// same costs less than to wait for each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "parallel.h"
#include "scratch.h"
#include "tile.h"
#include "transpose.h"

namespace thalweg {

inline constexpr int64_t kDepth = 512;      // of a block: terms added before C is written and read again
inline constexpr int64_t kShallow = 256;    // the same of a convolution, whose panel stays in the first cache
inline constexpr int64_t kRows = 264;       // of a block of A
inline constexpr int64_t kPanel = 2 * kLanes;
inline constexpr int64_t kColumns = 16 * kPanel;  // of a block of B
inline constexpr int64_t kStep = 12;        // rows of a tile that is as wide as a panel, or a multiple of them
inline constexpr int64_t kTasks = 16;       // that keep some threads busy to the end
inline constexpr int64_t kFewRows = 48;     // of C: B is read too seldom to be copied
inline constexpr int64_t kFewColumns = 256; // of C: then such a product is cut into parts of B's rows
inline constexpr int64_t kFewDeep = 96;     // of them, about
inline constexpr int64_t kFewTerms = 64;    // of a sum: A too

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
    else t.start(c + i * c_row + j, c_row);
    t.add(K, {a.at + i * a.row, a.row, a.k}, b + j, b_row, last);
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

// Rows of A, kStep at a time: as they lie or, where these are far apart, copied.
struct Rows {
  Strided all;
  int64_t step;  // numbers from one row to the next

  // A's rows i < m and columns k < K; `to` has room for as many, a whole number of kStep rows.
  Rows(Matrix a, int64_t m, int64_t K, float* to) : all{a.at, a.row, a.column}, step(a.row) {
    if (a.column == 1 ? a.row <= kDepth : K <= kFewTerms) return;
    step = K;
    if (a.column == 1) {
      all = {to, K, 1};
      for (int64_t i = 0; i < m; ++i) std::copy_n(a.at + i * a.row, K, to + i * K);
      return;
    }
    all = {to, 1, kStep};
    for (int64_t i = 0; i < m; i += kStep) {
      const float* from = a.at + i;
      if (m - i >= kStep) for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::memcpy(to, from, kStep * sizeof(float));
      else for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::copy_n(from, m - i, to);
    }
  }

  Strided from(int64_t i) const { return {all.at + i * step, all.row, all.k}; }
};

// n in equal parts of `most` at most, each a multiple of `unit`.
inline int64_t equal_part(int64_t n, int64_t most, int64_t unit) {
  const int64_t parts = std::max<int64_t>(1, (n + most - 1) / most);
  return std::max(unit, ((n + parts - 1) / parts + unit - 1) / unit * unit);
}

// The blocks a product is cut into, by its shape alone: then the bits do not depend on the threads.
struct Cut {
  int64_t m, n, K, rows, columns, depth;

  // How K is cut changes the bits, how C is does not.
  Cut(int64_t m, int64_t n, int64_t K)
      : m(m), n(n), K(K), rows(equal_part(m, kRows, kStep)), columns(equal_part(n, kColumns, kPanel)), depth(K) {
    // parts of K only where their sums are small beside the factors
    const int64_t least = std::max<int64_t>(1, std::min(m, n));
    const int64_t parts = std::min({kTasks / (over(m, rows) * over(n, columns)), K / kDepth, K / least});
    if (parts > 1) depth = equal_part(K, (K + parts - 1) / parts, kDepth);
    while (tasks() < kTasks / 2) {  // a cut between rows reads B once more, one between columns A
      const bool tall = rows > 2 * kStep, wide = columns > 2 * kPanel;
      if (wide && (!tall || m * over(n, columns) < n * over(m, rows))) columns = half(columns, kPanel);
      else if (tall) rows = half(rows, kStep);
      else break;
    }
  }

  static int64_t half(int64_t n, int64_t unit) { return (n / 2 + unit - 1) / unit * unit; }
  static int64_t over(int64_t a, int64_t b) { return a > b ? (a + b - 1) / b : 1; }  // one at least, if an empty one
  int64_t parts() const { return over(K, depth); }
  int64_t tasks() const { return over(m, rows) * over(n, columns) * parts(); }
};

// sums += the panel's rows, or = them at the `first`.
inline void add_rows(const float* panel, int64_t K, int64_t columns, bool first, float* sums) {
  vf low{}, high{};
  for (int64_t k = 0; k < K; ++k) low += load(panel + k * kPanel), high += load(panel + k * kPanel + kLanes);
  float sum[kPanel];
  store(sum, low), store(sum + kLanes, high);
  for (int64_t j = 0; j < columns; ++j) sums[j] = first ? sum[j] : sums[j] + sum[j];
}

struct Piece {
  int64_t i, i_end, j, j_end, k, k_end;  // rows and columns of C, terms
};

// C's block, to `c`; `finish` as in product(). To `b_sums`, where given, the sums of B's columns over these terms.
template <typename Finish>
void product_block(Matrix a, Matrix b, const Piece& s, float* c, int64_t c_row, float* b_sums, const Finish& finish) {
  float* const panels = scratch<float>(0, kDepth * kColumns);
  float* const rows = scratch<float>(1, kRows * kDepth);
  for (int64_t q = s.k; q == s.k || q < s.k_end; q += kDepth) {  // once for no terms too: C is then zero
    const int64_t depth = std::min(kDepth, s.k_end - q);
    const auto panel = [=](int64_t j) { return panels + (j - s.j) * depth; };
    const auto wide = [=](int64_t j) { return std::min(kPanel, s.j_end - j); };
    pack_panels({b.at + q * b.row + s.j * b.column, b.row, b.column}, depth, s.j_end - s.j, panels);
    for (int64_t j = s.j; b_sums && j < s.j_end; j += kPanel) add_rows(panel(j), depth, wide(j), q == s.k, b_sums + j);
    const Rows left({a.at + s.i * a.row + q * a.column, a.row, a.column}, s.i_end - s.i, depth, rows);
    // rows outside: those of A stay in the first cache, B's panels in the second, and C is written in order
    for (int64_t i = s.i; i < s.i_end; i += kStep)
      for (int64_t j = s.j; j < s.j_end; j += kPanel)
        product_in_place(std::min(kStep, s.i_end - i), wide(j), depth, left.from(i - s.i), panel(j), kPanel,
                         c + i * c_row + j, c_row, q > s.k,
                         [&](auto& t, int64_t r, int64_t column, int64_t last) {
                           if (q + depth == s.k_end) finish(t, i + r, j + column, last);
                         });
  }
}

// C [m, n] = the sum of its `parts`, one after the other, in order.
template <typename Finish>
void add_parts(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t parts, const float* sums, float* c, const Finish& finish) {
  parallel_blocks(pool, m, 8, parts * m * n, [&](int64_t first, int64_t end) {
    tiles(end - first, n, [&](auto M, auto N, int64_t r, int64_t j, int64_t last) {
      Tile<decltype(M)::value, decltype(N)::value> t, more;
      const int64_t i = first + r;
      t.read(sums + i * n + j, n, last);
      for (int64_t part = 1; part < parts; ++part) {
        more.read(sums + (part * m + i) * n + j, n, last);
        for (int x = 0; x < decltype(M)::value; ++x)
          for (int y = 0; y < decltype(N)::value; ++y) t.sum[x][y] += more.sum[x][y];
      }
      finish(t, i, j, last);
      t.write(c + i * n + j, n, last);
    });
  });
}

// The product where B is read too seldom to be copied: a task has some columns of B or, where these are few, some rows,
// which the gradient and the optimizer leave in the cache of the thread that takes them here too.
template <typename Finish>
void product_of_few_rows(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c, const Finish& finish) {
  const int64_t cost = 2 * m * n * K;
  const int64_t parts = n > kFewColumns || cost < 2 * kWorthAThread ? 1 : std::max<int64_t>(1, K / kFewDeep);
  const auto some = [&](int64_t k, int64_t k_end, int64_t j, int64_t j_end, float* to, const auto& end) {
    product_in_place(m, j_end - j, k_end - k, {a.at + k * a.column, a.row, a.column}, b.at + k * b.row + j, b.row, to + j, n,
                     false, [&](auto& t, int64_t r, int64_t q, int64_t last) { end(t, r, j + q, last); });
  };
  if (parts == 1)
    return parallel_blocks(pool, n, 4 * kLanes, cost, [&](int64_t j, int64_t end) { some(0, K, j, end, c, finish); });
  float* const sums = scratch<float>(2, parts * m * n);
  parallel_for(pool, parts, cost, [&](int64_t part) {
    some(part * K / parts, (part + 1) * K / parts, 0, n, sums + part * m * n, Plain{});
  });
  add_parts(pool, m, n, parts, sums, c, finish);
}

// C [m, n] = A [m, K] B [K, n], its rows side by side; `finish(tile, row, column, last)` sees each number once, at the end.
// To `b_sums` [n], where given, the sums of B's columns.
template <typename Finish = Plain>
void product(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c,
             float* b_sums = nullptr, const Finish& finish = {}) {
  const int64_t cost = 2 * m * n * K;
  if (m < kFewRows && b.column == 1 && K < 4 * kDepth && !b_sums) return product_of_few_rows(pool, m, n, K, a, b, c, finish);
  const Cut cut(m, n, K);
  const int64_t parts = cut.parts(), down = Cut::over(m, cut.rows);
  float* const sums = parts > 1 ? scratch<float>(2, parts * (m + 1) * n) : c;
  float* const row_sums = parts > 1 && b_sums ? sums + parts * m * n : b_sums;
  parallel_for(pool, cut.tasks(), cost, [&](int64_t task) {
    const int64_t i = task % down * cut.rows, j = task / down / parts * cut.columns, part = task / down % parts;
    const Piece s{i, std::min(m, i + cut.rows), j, std::min(n, j + cut.columns), part * cut.depth,
                  std::min(K, (part + 1) * cut.depth)};
    float* const of_b = row_sums && i == 0 ? row_sums + part * n : nullptr;
    if (parts > 1) product_block(a, b, s, sums + part * m * n, n, of_b, Plain{});
    else product_block(a, b, s, c, n, of_b, finish);
  });
  if (parts == 1) return;
  add_parts(pool, m, n, parts, sums, c, finish);
  if (b_sums) add_parts(pool, 1, n, parts, row_sums, b_sums, Plain{});
}

}  // namespace thalweg
