// The one inner loop that matrix products, convolutions and recurrent steps share.
//
//     C[i, j] += sum_k A(i, k) B[k, j]        i < M rows, j < N vectors of kLanes columns
//
// M x N accumulators stay in registers. A row of B is read as vectors, a number of A is spread over one, so B's columns
// must lie side by side, while A may have any strides: a place of an image, a channel, a transposed matrix.
// Each number of C adds its terms in the order of k, whatever M and N, so the bits do not depend on how C is cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "simd.h"

namespace thalweg {

// Rows of a tile that is N vectors wide: as many accumulators as the registers hold, beside N vectors of B and one of A.
constexpr int tile_rows(int N) {
  return kRegisters == 32 ? (N == 1 ? 14 : N == 2 ? 12 : N == 3 ? 8 : 6) : (N == 1 ? 10 : N == 2 ? 6 : N == 3 ? 4 : 3);
}
inline constexpr int kWidest = 4;  // vectors a tile may be wide

// While a tile adds up its terms, memory fetches what a later one will read and write: a line of each for every few terms.
// The places are counted up and not held against an end, which would cost more than a line too many.
inline constexpr int kTermsPerLine = 4;
inline constexpr int64_t kLine = 16;  // numbers

struct Ahead {
  static constexpr bool kAsks = true;
  const float *read, *write;
  int64_t read_step, write_step;  // numbers to the next place

  inline __attribute__((always_inline)) void operator()() {
    __builtin_prefetch(read, 0, 2);
    __builtin_prefetch(write, 1);
    read += read_step, write += write_step;
  }
};

// The same, and of the rows of a panel that is to be copied next two lines for each term.
struct AheadWithPanel : Ahead {
  const float* row;
  int64_t rows;  // from one to the next

  AheadWithPanel(const Ahead& ask, const float* row, int64_t rows) : Ahead(ask), row(row), rows(rows) {}

  inline __attribute__((always_inline)) void operator()() {
    Ahead::operator()();
    for (int r = 0; r < kTermsPerLine; ++r, row += rows) __builtin_prefetch(row, 0, 2), __builtin_prefetch(row + kLine, 0, 2);
  }
};

struct NothingAhead {
  static constexpr bool kAsks = false;
};

struct Strided {
  const float* at;
  int64_t row, k;  // A(i, k) = at[i * row + k * this->k]
};

template <int M, int N>
struct Tile {
  vf sum[M][N];

  void zero() {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) sum[i][j] = vf{};
  }

  // Zero, for a tile of C that is only written: its lines are asked for before they are needed.
  void start(const float* c, int64_t row) {
    zero();
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) __builtin_prefetch(c + i * row + j * kLanes, 1);
  }

  // Vector j of a row of columns, of which the last vector has `last`.
  static vf part(const float* from, int j, int64_t last) {
    return j + 1 < N || last == kLanes ? load(from + j * kLanes) : load(from + j * kLanes, last);
  }
  static void put(float* to, vf v, int j, int64_t last) {
    if (j + 1 < N || last == kLanes) store(to + j * kLanes, v);
    else store(to + j * kLanes, v, last);
  }

  void read(const float* c, int64_t row, int64_t last) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) sum[i][j] = part(c + i * row, j, last);
  }

  void write(float* c, int64_t row, int64_t last) const {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) put(c + i * row, sum[i][j], j, last);
  }

  // sum += A B over k < K; where not `kWhole`, B's last vector has `last` columns.
  template <bool kWhole, typename Ask = NothingAhead>
  inline __attribute__((always_inline)) void add_columns(int64_t K, Strided a, const float* b, int64_t b_row, int64_t last, Ask ask = {}) {
    vf sums[M][N];  // local to the loop: a compiler would keep what others see in memory
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) sums[i][j] = sum[i][j];
    const float* rows[(M + 2) / 3];
    rows[0] = a.at;
    for (int g = 1; g < (M + 2) / 3; ++g) rows[g] = rows[g - 1] + 3 * a.row;
    const int64_t one = a.row, two = 2 * a.row;
    const auto term = [&]() __attribute__((always_inline)) {
      vf v[N];
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j)
        v[j] = kWhole || j + 1 < N ? load(b + j * kLanes) : load(b + j * kLanes, last);
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i) {
        const vf x = splat(rows[i / 3][i % 3 == 0 ? 0 : i % 3 == 1 ? one : two]);
#pragma GCC unroll 4
        for (int j = 0; j < N; ++j) sums[i][j] += x * v[j];
      }
      for (int g = 0; g < (M + 2) / 3; ++g) rows[g] += a.k;
      b += b_row;
    };
    int64_t k = 0;
    if constexpr (Ask::kAsks)
      for (; k + kTermsPerLine <= K; k += kTermsPerLine) {
        ask();
#pragma GCC unroll 4
        for (int u = 0; u < kTermsPerLine; ++u) term();
      }
    for (; k < K; ++k) term();
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) sum[i][j] = sums[i][j];
  }

  // The same, B's rows as they lie in a matrix. A vector's part costs no more than a whole one where it is read by a mask.
  inline __attribute__((always_inline)) void add(int64_t K, Strided a, const float* b, int64_t b_row, int64_t last) {
    if (!kMasks && last == kLanes) add_columns<true>(K, a, b, b_row, last);
    else add_columns<false>(K, a, b, b_row, last);
  }
};

template <int n>
using Int = std::integral_constant<int, n>;

// visit(Int<rows>, Int<N>, row), `rows` <= M: the tile that is left at the end.
template <int M, int N, typename Visit>
inline void rest_of_rows(int64_t rows, int64_t row, const Visit& visit) {
  if constexpr (M > 0) {
    if (rows == M) visit(Int<M>{}, Int<N>{}, row);
    else rest_of_rows<M - 1, N>(rows, row, visit);
  }
}

// visit(Int<M>, Int<N>, first row) for each tile of `rows` rows that are N vectors wide, M <= kMost rows to a tile.
template <int N, int kMost = tile_rows(N), typename Visit>
inline void tiles_of_columns(int64_t rows, const Visit& visit) {
  constexpr int M = std::min(kMost, tile_rows(N));
  int64_t i = 0;
  for (; i + M <= rows; i += M) visit(Int<M>{}, Int<N>{}, i);
  rest_of_rows<M - 1, N>(rows - i, i, visit);
}

// The columns in the last of the vectors that `columns` fill.
inline int64_t in_last(int64_t columns) { return (columns - 1) % kLanes + 1; }

}  // namespace thalweg
