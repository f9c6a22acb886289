// The matrix product C = A B of float32 matrices of any strides, in the manner of Goto & van de Geijn 2008, "Anatomy of
// high-performance matrix multiplication".
//
// Products of few rows read A and B where they lie. The others are cut into tasks that share nothing: a block of C, and
// where C is small a part of K whose sums are added up at the end. A thread copies B into panels as wide as a tile and
// keeps them, if they are few, for its next task; that two threads copy the same costs less than to wait for each other,
// and to read what the other wrote. Rows of A are copied, where they lie scattered, a strip as high as a tile at a time.
// While a strip is computed, memory fetches the next one, and the lines of C that it will be written to.
#pragma once

#include <algorithm>
#include <atomic>
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
inline constexpr int64_t kKept = 1 << 20;   // numbers of B that a thread keeps from task to task
inline constexpr int64_t kTasks = 16;       // that keep some threads busy to the end
inline constexpr int64_t kFewRows = 48;     // of C: B is read too seldom to be copied
inline constexpr int64_t kFewColumns = 256; // of C: then such a product is cut into parts of B's rows
inline constexpr int64_t kFewDeep = 96;     // of them, about

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

// A strip of A, m <= kStep rows and K columns, as it lies or, where its lines lie far apart, copied to `room`, which holds
// kStep rows.
inline Strided strip(Matrix a, int64_t m, int64_t K, float* room) {
  if (std::max(a.row, a.column) <= kDepth) return {a.at, a.row, a.column};
  if (a.column == 1) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(a.at + i * a.row, K, room + i * K);
    return {room, K, 1};
  }
  const float* from = a.at;
  float* to = room;
  if (m == kStep) for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::memcpy(to, from, kStep * sizeof(float));
  else for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::copy_n(from, m, to);
  return {room, 1, kStep};
}

// What tile `t` of a strip asks for of the `next` strip of A: its share, in the order in which that lies; of rows with gaps
// between them, one.
inline Ahead ahead(Matrix next, int64_t K, int64_t t) {
  const int64_t first = t * (K / kTermsPerLine);
  if (next.column != 1) return {next.at + first / K * kStep + first % K * next.column + kStep - 1, nullptr, next.column, 0};
  if (next.row == K) return {next.at + first * kLine, nullptr, kLine, 0};
  return {next.at + t % kStep * next.row, nullptr, kTermsPerLine, 0};
}

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
      : m(m), n(n), K(K), rows(kRows), columns(n * K <= kKept ? n : equal_part(n, kColumns, kPanel)), depth(K) {
    // parts of K only where their sums are small beside the factors
    const int64_t least = std::max<int64_t>(1, std::min(m, n));
    const int64_t parts = std::min({kTasks / tasks(), K / kDepth, K / least});
    if (parts > 1) depth = equal_part(K, (K + parts - 1) / parts, kDepth);
    // a cut between rows costs nothing; one between columns reads A once more, and halves what a thread copies of B
    rows = kStep * std::clamp<int64_t>(over(over(m, kStep) * over(n, columns) * this->parts(), kTasks), 1, kRows / kStep);
    while (tasks() < (n > m ? kTasks : kTasks / 2) && columns > 2 * kPanel) columns = half(columns, kPanel);
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

// One counter for all kinds of products: what a thread holds is of one call.
inline uint64_t next_call() {
  static std::atomic<uint64_t> calls{0};
  return ++calls;
}

// A piece's rows and columns of B in panels, which a thread packs a block of terms at a time or, if they are few, once for
// all its tasks of a call.
struct Panels {
  Matrix b;
  const Piece& s;
  int64_t across;  // columns, the last panel filled up
  bool kept, packed;
  float* at;

  Panels(Matrix b, const Piece& s, uint64_t call) : b(b), s(s), across((s.j_end - s.j + kPanel - 1) / kPanel * kPanel) {
    struct Held {
      uint64_t call;
      int64_t j, k;
    };
    static thread_local Held held{};
    kept = (s.k_end - s.k) * across <= kKept;
    packed = kept && held.call == call && held.j == s.j && held.k == s.k;
    held = {kept ? call : 0, s.j, s.k};
    at = scratch<float>(0, kept ? (s.k_end - s.k) * across : kDepth * kColumns);
  }

  // The terms [q, q + depth).
  float* block(int64_t q, int64_t depth) const {
    float* const to = kept ? at + (q - s.k) * across : at;
    if (!packed) pack_panels({b.at + q * b.row + s.j * b.column, b.row, b.column}, depth, s.j_end - s.j, to);
    return to;
  }
};

// C's block, to `c`; `finish` as in product(). To `b_sums`, where given, the sums of B's columns over these terms.
template <typename Finish>
void product_block(Matrix a, const Panels& b, int64_t m, float* c, int64_t c_row, float* b_sums, const Finish& finish) {
  const Piece& s = b.s;
  float* const room = scratch<float>(1, kStep * kDepth);
  const bool whole = s.j_end - s.j == c_row;  // rows of C, without gaps between them
  for (int64_t q = s.k; q == s.k || q < s.k_end; q += kDepth) {  // once for no terms too: C is then zero
    const int64_t depth = std::min(kDepth, s.k_end - q);
    float* const panels = b.block(q, depth);
    const auto panel = [=](int64_t j) { return panels + (j - s.j) * depth; };
    const auto wide = [=](int64_t j) { return std::min(kPanel, s.j_end - j); };
    for (int64_t j = s.j; b_sums && j < s.j_end; j += kPanel) add_rows(panel(j), depth, wide(j), q == s.k, b_sums + j);
    // rows outside: those of A stay in the first cache, B's panels in the second, and C is written in order
    for (int64_t i = s.i; i < s.i_end; i += kStep) {
      const Matrix rows{a.at + i * a.row + q * a.column, a.row, a.column};
      const int64_t high = std::min(kStep, s.i_end - i);
      const bool more = i + 2 * kStep <= m;  // below lies a whole strip
      const Matrix next{rows.at + (more ? kStep * a.row : 0), a.row, a.column};
      const Strided left = strip(rows, high, depth, room);
      for (int64_t j = s.j, t = 0; j < s.j_end; j += kPanel, ++t) {
        float* const to = c + i * c_row + j;
        Ahead ask = ahead(next, std::max<int64_t>(1, depth), t);
        ask.write = more && whole ? c + (i + kStep) * c_row + t * kStep * kPanel : to;
        ask.write_step = more && whole ? kStep * kPanel * kTermsPerLine / std::max<int64_t>(1, depth) : 0;
        product_in_place(high, wide(j), depth, left, panel(j), kPanel, to, c_row, q > s.k,
                         [&](auto& tile, int64_t r, int64_t column, int64_t lanes) {
                           if (q + depth == s.k_end) finish(tile, i + r, j + column, lanes);
                         }, ask);
      }
    }
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
  const uint64_t call = next_call();
  parallel_for(pool, cut.tasks(), cost, [&](int64_t task) {
    const int64_t i = task % down * cut.rows, j = task / down / parts * cut.columns, part = task / down % parts;
    const Piece s{i, std::min(m, i + cut.rows), j, std::min(n, j + cut.columns), part * cut.depth,
                  std::min(K, (part + 1) * cut.depth)};
    const Panels panels(b, s, call);
    float* const of_b = row_sums && i == 0 ? row_sums + part * n : nullptr;
    if (parts > 1) product_block(a, panels, m, sums + part * m * n, n, of_b, Plain{});
    else product_block(a, panels, m, c, n, of_b, finish);
  });
  if (parts == 1) return;
  add_parts(pool, m, n, parts, sums, c, finish);
  if (b_sums) add_parts(pool, 1, n, parts, row_sums, b_sums, Plain{});
}

}  // namespace thalweg
