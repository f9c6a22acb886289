// The smallest product, and panels: columns of B as wide as a tile, side by side in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ending.h"
#include "transpose.h"

namespace thalweg {

inline constexpr int64_t kShallow = 256;  // terms of a convolution's panel, which stays in the first cache
inline constexpr int64_t kRows = 264;     // of a block of A
inline constexpr int64_t kPanel = 2 * kLanes;
inline constexpr int64_t kStep = 12;      // rows of a tile that is as wide as a panel, or a multiple of them

struct Matrix {
  const float* at;
  int64_t row, column;  // strides
};

// Where a block lies in C, whose ending is due.
struct Due {
  const Ending* ending = nullptr;  // or nothing
  int64_t row = 0, column = 0;
};

// A tile of C: what is there already or nothing, the terms, what is due.
template <typename T, typename Terms>
inline __attribute__((always_inline)) void tile_of(float* c, int64_t c_row, bool add, int64_t last, const Ending* ending,
                                                   int64_t row, int64_t column, const Terms& terms) {
  T t;
  if (add) t.read(c, c_row, last);
  else t.start(c, c_row);
  terms(t);
  if (ending) (*ending)(t, row, column, last);
  t.write(c, c_row, last);
}

// C [m, n] (its columns side by side) = A [m, K] B [K, n], or += where `add`; then what is due. Compiled once (panel.cc).
void product_in_place(int64_t m, int64_t n, int64_t K, Strided a, const float* b, int64_t b_row, float* c, int64_t c_row,
                      bool add, const Due& due = {});

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
