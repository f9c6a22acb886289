// The matrix product of bfloat16 matrices, added up in float32, rounded once at the end.
//
// Where the processor has matrix tiles (AMX), 2 x 2 tiles of C stay in registers; A's blocks are copied row by row, and B's
// rows in pairs, as the tiles read them. Elsewhere the factors are widened and the product of float32 serves.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bfloat16.h"
#include "product.h"
#include "scratch.h"

namespace thalweg {

struct HalfMatrix {
  const uint16_t* at;
  int64_t row, column;  // strides
};

#if defined(__AMX_BF16__)

inline constexpr int64_t kSide = 16;        // rows of a tile, and its columns of float32
inline constexpr int64_t kPair = 2 * kSide;  // what 2 x 2 tiles cover; also the k's of one tile
inline constexpr int64_t kTileDepth = 512;   // k's of a block: A's and B's parts stay in the first two caches
inline constexpr int64_t kTileRows = 128;    // rows of C that one thread takes

struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};

  TileConfig() {
    for (int i = 0; i < 8; ++i) bytes[i] = 64, rows[i] = 16;
  }
};

// Columns j < n of rows k < K as [K / 2, 16, 2], filled up with zeros to 16 columns and `depth` rows.
inline void pack_pairs(HalfMatrix b, int64_t K, int64_t depth, int64_t n, uint32_t* to) {
  for (int64_t k = 0; k < depth; k += 2, to += kSide) {
    const uint16_t* const low = b.at + k * b.row;
    if (n == kSide && k + 1 < K && b.column == 1) {
      for (int64_t j = 0; j < kSide; ++j) to[j] = low[j] | static_cast<uint32_t>(low[b.row + j]) << 16;
      continue;
    }
    for (int64_t j = 0; j < kSide; ++j) {
      const uint32_t first = j < n && k < K ? low[j * b.column] : 0;
      const uint32_t second = j < n && k + 1 < K ? low[b.row + j * b.column] : 0;
      to[j] = first | second << 16;
    }
  }
}

// Rows i < m and columns k < K as [rows, depth], filled up with zeros.
inline void pack_half_rows(HalfMatrix a, int64_t m, int64_t K, int64_t rows, int64_t depth, uint16_t* to) {
  if (m < rows || K < depth) std::fill(to, to + rows * depth, uint16_t{0});
  if (a.column == 1) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(a.at + i * a.row, K, to + i * depth);
    return;
  }
  for (int64_t first = 0; first < m; first += kSide)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t i = first; i < std::min(m, first + kSide); ++i) to[i * depth + k] = a.at[i * a.row + k * a.column];
}

// C [32, 32] (+)= A [32, depth] B, B as two columns of tiles.
inline void tile_product(const uint16_t* a, int64_t depth, const uint32_t* b0, const uint32_t* b1, float* c,
                         int64_t c_row, bool add) {
  float* const low = c + kSide * c_row;
  const int64_t stride = c_row * 4;
  if (add) {
    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + kSide, stride);
    _tile_loadd(2, low, stride);
    _tile_loadd(3, low + kSide, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t k = 0; k < depth; k += kPair) {
    _tile_loadd(4, a + k, depth * 2);
    _tile_loadd(5, a + kSide * depth + k, depth * 2);
    _tile_loadd(6, b0 + k / 2 * kSide, 64);
    _tile_loadd(7, b1 + k / 2 * kSide, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, stride);
  _tile_stored(1, c + kSide, stride);
  _tile_stored(2, low, stride);
  _tile_stored(3, low + kSide, stride);
}

// `finish(row, row's sums in float32)` for each row of C.
template <typename Finish>
void product_bf16(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, HalfMatrix a, HalfMatrix b, const Finish& finish) {
  const auto up = [](int64_t size) { return (size + kPair - 1) / kPair * kPair; };
  const int64_t columns = up(n), deep = std::max(up(K), kPair), cost = m * n * K / 4;
  // each 16 columns of B: [deep / 2, 16] pairs
  uint32_t* const panels = scratch<uint32_t>(2, columns * deep / 2);
  const auto panel = [=](int64_t j, int64_t k) { return panels + j * deep / 2 + k / 2 * kSide; };
  parallel_blocks(pool, columns, 8 * kSide, 4 * columns * deep, [&](int64_t j, int64_t end) {
    for (; j < end; j += kSide)
      pack_pairs({b.at + j * b.column, b.row, b.column}, K, deep, std::clamp<int64_t>(n - j, 0, kSide), panel(j, 0));
  });
  parallel_blocks(pool, m, kTileRows, cost, [&](int64_t i, int64_t end) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const int64_t rows = up(end - i);
    float* const c = scratch<float>(3, kTileRows * columns);
    uint16_t* const block = scratch<uint16_t>(4, kTileRows * kTileDepth);
    for (int64_t k = 0; k < deep; k += kTileDepth) {
      const int64_t depth = std::min(kTileDepth, deep - k), real = std::clamp<int64_t>(K - k, 0, depth);
      pack_half_rows({a.at + i * a.row + k * a.column, a.row, a.column}, end - i, real, rows, depth, block);
      for (int64_t j = 0; j < columns; j += kPair)
        for (int64_t r = 0; r < rows; r += kPair)
          tile_product(block + r * depth, depth, panel(j, k), panel(j + kSide, k), c + r * columns + j, columns, k > 0);
    }
    _tile_release();
    for (int64_t r = 0; r < end - i; ++r) finish(i + r, c + r * columns);
  });
}

#else

template <typename Finish>
void product_bf16(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, HalfMatrix a, HalfMatrix b, const Finish& finish) {
  constexpr int64_t kBlock = 1 << 14;
  float* const wide_a = scratch<float>(3, m * K);
  float* const wide_b = scratch<float>(4, K * n);
  float* const c = scratch<float>(5, m * n);
  const auto convert = [&](const uint16_t* from, float* to, int64_t size) {
    parallel_blocks(pool, size, kBlock, 2 * size, [=](int64_t i, int64_t end) { widen(from + i, to + i, end - i); });
  };
  convert(a.at, wide_a, m * K);
  convert(b.at, wide_b, K * n);
  product(pool, m, n, K, {wide_a, a.row, a.column}, {wide_b, b.row, b.column}, c);
  parallel_blocks(pool, m, 64, 2 * m * n, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) finish(i, c + i * n);
  });
}

#endif

}  // namespace thalweg
