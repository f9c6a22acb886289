// The matrix of patches of a convolution, a block at a time: row p holds all that the kernel reads at output place p, in
// the order [tap of the height, tap of the width, channel]. Written from the input, it needs no padding, and any stride,
// dilation and group of channels becomes the plain matrix that `Tile` multiplies.
#pragma once

#include "tile.h"
#include "windows.h"

namespace thalweg {

struct Patches {
  const float* x;                  // [batch, h.in, w.in, channels]
  Axis h, w;
  int64_t channels, start, group;  // the channels of [start, start + group) are read

  int64_t terms() const { return h.taps * w.taps * group; }

  // Rows [p, p + rows) and columns [k, k + depth), written to `to`, which holds rows * depth numbers.
  Strided block(int64_t p, int64_t rows, int64_t k, int64_t depth, float* to) const {
    if (rows == 0 || depth == 0) return {to, depth, 1};
    // numbers that lie side by side in x: all taps of the width, where they are neighbours
    const int64_t run = group == channels && w.dilation == 1 ? w.taps * group : group;
    if (run >= 16 && depth >= 16) {
      by_places(p, rows, k, depth, run, to);
      return {to, depth, 1};
    }
    by_columns(p, rows, k, depth, to);
    return {to, 1, rows};
  }

 private:
  void by_places(int64_t p, int64_t rows, int64_t k, int64_t depth, int64_t run, float* to) const {
    const int64_t runs = w.taps * group / run, line = w.in * channels;
    int64_t j = p % w.out, i = p / w.out % h.out, n = p / w.out / h.out;
    const int64_t first_t = k / run / runs, first_u = k / run % runs, first_skip = k % run;
    for (int64_t r = 0; r < rows; ++r) {
      int64_t t = first_t, u = first_u, skip = first_skip;
      for (float* const end = to + depth; to < end;) {
        const int64_t length = std::min<int64_t>(run - skip, end - to), y = h.place(i, t);
        if (y < 0 || y >= h.in) {
          clear(to, length);
        } else {
          const int64_t at = w.place(j, u) * channels + start + skip;  // of the line; what lies outside is 0
          const int64_t low = std::clamp<int64_t>(-at, 0, length), high = std::clamp<int64_t>(line - at, low, length);
          if (low > 0) clear(to, low);
          copy(to + low, x + (n * h.in + y) * line + at + low, high - low);
          if (high < length) clear(to + high, length - high);
        }
        to += length;
        skip = 0;
        if (++u == runs) u = 0, ++t;
      }
      if (++j < w.out) continue;
      j = 0;
      if (++i == h.out) i = 0, ++n;
    }
  }

  void by_columns(int64_t p, int64_t rows, int64_t k, int64_t depth, float* to) const {
    const int64_t step = w.stride * channels;
    for (int64_t q = k; q < k + depth; ++q) {
      const int64_t c = q % group, u = q / group % w.taps, t = q / group / w.taps;
      const int64_t first = w.first(u), last = w.end(u);
      int64_t j = p % w.out, i = p / w.out % h.out, n = p / w.out / h.out;
      for (int64_t left = rows; left > 0;) {
        const int64_t end = std::min(w.out, j + left), y = h.place(i, t);
        const bool inside = y >= 0 && y < h.in;
        const int64_t a = inside ? std::clamp(first, j, end) : end, b = inside ? std::clamp(last, a, end) : end;
        clear(to, a - j);
        const float* const from = x + ((n * h.in + y) * w.in + w.place(a, u)) * channels + start + c;
        if (step == 1) copy(to + a - j, from, b - a);
        else for (int64_t l = 0; l < b - a; ++l) to[a - j + l] = from[l * step];
        clear(to + b - j, end - b);
        to += end - j;
        left -= end - j;
        j = 0;
        if (++i == h.out) i = 0, ++n;
      }
    }
  }
};

}  // namespace thalweg
