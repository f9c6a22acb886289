// The product of a block of A with B's rows as they lie: see panel.h.
#include "panel.h"

namespace thalweg {

void product_in_place(int64_t m, int64_t n, int64_t K, Strided a, const float* b, int64_t b_row, float* c, int64_t c_row,
                      bool add, const Due& due) {
  for (int64_t j = 0, vectors; j < n; j += vectors * kLanes) {
    const int64_t left = (n - j + kLanes - 1) / kLanes;
    vectors = left >= 7 ? 4 : left > 4 ? 3 : left;  // 5 and 6 are better cut in halves than as 4 and a thin rest
    const int64_t last = std::min<int64_t>(kLanes, n - j - (vectors - 1) * kLanes);
    const auto visit = [&](auto M, auto N, int64_t i) __attribute__((always_inline)) {
      tile_of<Tile<decltype(M)::value, decltype(N)::value>>(
          c + i * c_row + j, c_row, add, last, due.ending, due.row + i, due.column + j,
          [&](auto& t) __attribute__((always_inline)) { t.add(K, {a.at + i * a.row, a.row, a.k}, b + j, b_row, last); });
    };
    switch (vectors) {
      case 1: tiles_of_columns<1>(m, visit); break;
      case 2: tiles_of_columns<2>(m, visit); break;
      case 3: tiles_of_columns<3>(m, visit); break;
      default: tiles_of_columns<4>(m, visit); break;
    }
  }
}

}  // namespace thalweg
