// Convolution with 3 x 3 taps by less than half of the multiplications: Lavin & Gray 2016, "Fast algorithms for
// convolutional neural networks", F(2 x 2, 3 x 3). A tile is 4 x 4 places of x, from which 2 x 2 places of y come:
//
//     y = A' [sum over channels in  (G g G') * (B' d B)] A        * number by number; g: taps, d: tile, ': transposed
//
// so each of the 16 numbers is a matrix product of its own, [tiles, ins] times [ins, outs]. The gradient of the kernel is
// the transpose of the same, G' [sum over tiles (B' d B) * (A dy A')] G; that of the data is a convolution again.
#pragma once

#include "patches.h"
#include "ending.h"
#include "product.h"
#include "scratch.h"

namespace thalweg {

struct Winograd {
  int64_t batch, ins, outs;
  Axis h, w;

  int64_t high() const { return (h.out + 1) / 2; }
  int64_t wide() const { return (w.out + 1) / 2; }
  int64_t tiles() const { return batch * high() * wide(); }
  int64_t cost() const { return 32 * tiles() * ins * outs; }

  bool plain() const {
    const auto plain = [](const Axis& a) { return a.taps == 3 && a.stride == 1 && a.dilation == 1; };
    return plain(h) && plain(w);
  }

  // Whole vectors of channels, enough of them to outweigh the transforms, and few places lost at the border.
  bool serves() const {
    return plain() && ins % kLanes == 0 && outs % kLanes == 0 && std::min(ins, outs) >= 32 && batch > 0 &&
           16 * high() * wide() * 3 < 9 * h.out * w.out * 2;
  }
};

inline int64_t plane(int64_t rows, int64_t columns) { return rows * columns + kLanes; }  // apart in the first cache

// (a0 - a2, a1 + a2, a2 - a1, a1 - a3): B' a
inline void input_line(const vf* a, int64_t step, vf* to, int64_t to_step) {
  to[0] = a[0] - a[2 * step];
  to[to_step] = a[step] + a[2 * step];
  to[2 * to_step] = a[2 * step] - a[step];
  to[3 * to_step] = a[step] - a[3 * step];
}

// V [16, rows, channels]: B' d B of tiles [first, first + rows), of the channels [start, start + channels) of x
inline void input_tiles(const Winograd& s, const float* x, int64_t first, int64_t rows, int64_t start, int64_t channels,
                        float* to) {
  const int64_t apart = plane(rows, channels);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t q = first + r, j = q % s.wide(), i = q / s.wide() % s.high(), n = q / s.wide() / s.high();
    const float* at[16];
    for (int64_t t = 0; t < 16; ++t) {
      const int64_t p = 2 * i + t / 4 - s.h.before, o = 2 * j + t % 4 - s.w.before;
      const bool inside = p >= 0 && p < s.h.in && o >= 0 && o < s.w.in;
      at[t] = inside ? x + ((n * s.h.in + p) * s.w.in + o) * s.ins + start : nullptr;
    }
    for (int64_t c = 0; c < channels; c += kLanes) {
      vf d[16], e[16], v[16];
      for (int t = 0; t < 16; ++t) d[t] = at[t] ? load(at[t] + c) : vf{};
      for (int t = 0; t < 4; ++t) input_line(d + t, 4, e + t, 4);
      for (int t = 0; t < 4; ++t) input_line(e + 4 * t, 1, v + 4 * t, 1);
      for (int t = 0; t < 16; ++t) store(to + t * apart + r * channels + c, v[t]);
    }
  }
}

// y: A' m A of the tiles M [16, rows, outs]
inline void output_tiles(const Winograd& s, const float* m, int64_t first, int64_t rows, const Ending& ending, float* y) {
  const int64_t apart = plane(rows, s.outs);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t q = first + r, j = q % s.wide() * 2, i = q / s.wide() % s.high() * 2, n = q / s.wide() / s.high();
    float* const at = y + ((n * s.h.out + i) * s.w.out + j) * s.outs;
    const bool below = i + 1 < s.h.out, beside = j + 1 < s.w.out;
    for (int64_t c = 0; c < s.outs; c += kLanes) {
      vf a[2][4];
      for (int t = 0; t < 4; ++t) {
        const float* const from = m + t * apart + r * s.outs + c;
        const vf m1 = load(from + 4 * apart), m2 = load(from + 8 * apart);
        a[0][t] = load(from) + m1 + m2;
        a[1][t] = m1 - m2 - load(from + 12 * apart);
      }
      for (int t = 0; t < 1 + below; ++t) {
        float* const to = at + t * s.w.out * s.outs + c;
        store(to, ending(a[t][0] + a[t][1] + a[t][2], c));
        if (beside) store(to + s.outs, ending(a[t][1] - a[t][2] - a[t][3], c));
      }
    }
  }
}

// W [16, rows, outs]: A dy A' of tiles [first, first + rows)
inline void gradient_tiles(const Winograd& s, const float* dy, int64_t first, int64_t rows, float* to) {
  const int64_t apart = plane(rows, s.outs);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t q = first + r, j = q % s.wide() * 2, i = q / s.wide() % s.high() * 2, n = q / s.wide() / s.high();
    const float* const at = dy + ((n * s.h.out + i) * s.w.out + j) * s.outs;
    const bool below = i + 1 < s.h.out, beside = j + 1 < s.w.out;
    for (int64_t c = 0; c < s.outs; c += kLanes) {
      const float* const next = at + s.w.out * s.outs;
      const vf d[2][2] = {{load(at + c), beside ? load(at + s.outs + c) : vf{}},
                          {below ? load(next + c) : vf{}, below && beside ? load(next + s.outs + c) : vf{}}};
      const vf a[4][2] = {{d[0][0], d[0][1]}, {d[0][0] + d[1][0], d[0][1] + d[1][1]},
                          {d[0][0] - d[1][0], d[0][1] - d[1][1]}, {-d[1][0], -d[1][1]}};
      for (int t = 0; t < 4; ++t) {
        float* const o = to + 4 * t * apart + r * s.outs + c;
        store(o, a[t][0]);
        store(o + apart, a[t][0] + a[t][1]);
        store(o + 2 * apart, a[t][0] - a[t][1]);
        store(o + 3 * apart, -a[t][1]);
      }
    }
  }
}

// U [16, panels, ins, kPanel]: G g G' of the taps kernel [9, ins, outs]; `reversed`: of kernel [9, outs, ins], turned round
inline void kernel_panels(ffi::ThreadPool& pool, const Winograd& s, const float* kernel, bool reversed, float* to) {
  const int64_t panels = (s.outs + kPanel - 1) / kPanel, apart = panels * s.ins * kPanel;
  parallel_blocks(pool, s.ins, kLanes, 32 * s.ins * s.outs, [&](int64_t first, int64_t end) {
    float* const turned = scratch<float>(1, 9 * kLanes * s.outs);  // [9, kLanes, outs]
    for (int64_t t = 0; reversed && t < 9; ++t)
      for (int64_t o = 0; o < s.outs; ++o)
        for (int64_t c = 0; c < kLanes; ++c)
          turned[(t * kLanes + c) * s.outs + o] = kernel[((8 - t) * s.outs + o) * s.ins + first + c];
    const float* const from = reversed ? turned : kernel + first * s.outs;
    const int64_t tap = reversed ? kLanes * s.outs : s.ins * s.outs;
    for (int64_t c = first; c < end; ++c)
      for (int64_t o = 0; o < s.outs; o += kLanes) {
        vf g[9], a[4][3];
        for (int t = 0; t < 9; ++t) g[t] = load(from + t * tap + (c - first) * s.outs + o);
        for (int t = 0; t < 3; ++t) {
          const vf even = 0.5f * (g[t] + g[6 + t]), odd = 0.5f * g[3 + t];
          a[0][t] = g[t], a[1][t] = even + odd, a[2][t] = even - odd, a[3][t] = g[6 + t];
        }
        float* const u = to + (o / kPanel * s.ins + c) * kPanel + o % kPanel;
        for (int t = 0; t < 4; ++t) {
          const vf even = 0.5f * (a[t][0] + a[t][2]), odd = 0.5f * a[t][1];
          store(u + (4 * t) * apart, a[t][0]);
          store(u + (4 * t + 1) * apart, even + odd);
          store(u + (4 * t + 2) * apart, even - odd);
          store(u + (4 * t + 3) * apart, a[t][2]);
        }
      }
  });
}

// y [batch, h.out, w.out, outs]; `reversed` as above
inline void winograd(ffi::ThreadPool& pool, const Winograd& s, const float* x, const float* kernel, bool reversed, const Ending& ending,
                     float* y) {
  const int64_t panels = (s.outs + kPanel - 1) / kPanel, apart = panels * s.ins * kPanel, tiles = s.tiles();
  float* const u = scratch<float>(0, 16 * apart);
  kernel_panels(pool, s, kernel, reversed, u);
  const int64_t most = std::clamp<int64_t>((1 << 14) / (s.ins + s.outs) / 12 * 12, 96, kRows);
  const int64_t block = std::clamp<int64_t>((tiles + 7) / 8 / 12 * 12, 48, most);
  parallel_blocks(pool, tiles, block, s.cost(), [&](int64_t first, int64_t end) {
    const int64_t rows = end - first;
    float* const v = scratch<float>(1, 16 * plane(rows, s.ins));
    float* const m = scratch<float>(2, 16 * plane(rows, s.outs));
    input_tiles(s, x, first, rows, 0, s.ins, v);
    for (int64_t f = 0; f < 16; ++f)
      for (int64_t k = 0; k < s.ins; k += kShallow)
        for (int64_t j = 0; j < s.outs; j += kPanel)
          product_in_place(rows, std::min(kPanel, s.outs - j), std::min(kShallow, s.ins - k),
                           {v + f * plane(rows, s.ins) + k, s.ins, 1}, u + f * apart + j * s.ins + k * kPanel, kPanel,
                           m + f * plane(rows, s.outs) + j, s.outs, k > 0);
    output_tiles(s, m, first, rows, ending, y);
  });
}

// dk [9, ins, outs]: G' u G of the sum of `parts` sums u [16, ins, outs]
inline void taps(ffi::ThreadPool& pool, const Winograd& s, const float* u, int64_t parts, float* dk) {
  const int64_t size = s.ins * s.outs;
  parallel_blocks(pool, size / kLanes, 64, 16 * size * parts, [&](int64_t q, int64_t end) {
    for (q *= kLanes; q < end * kLanes; q += kLanes) {
      vf a[3][4];
      for (int t = 0; t < 4; ++t) {
        vf m[4];
        for (int r = 0; r < 4; ++r) {
          m[r] = load(u + (4 * r + t) * size + q);
          for (int64_t z = 1; z < parts; ++z) m[r] += load(u + (16 * z + 4 * r + t) * size + q);
        }
        const vf half = 0.5f * (m[1] + m[2]);
        a[0][t] = m[0] + half, a[1][t] = 0.5f * (m[1] - m[2]), a[2][t] = half + m[3];
      }
      for (int t = 0; t < 3; ++t) {
        const vf half = 0.5f * (a[t][1] + a[t][2]);
        store(dk + 3 * t * size + q, a[t][0] + half);
        store(dk + (3 * t + 1) * size + q, 0.5f * (a[t][1] - a[t][2]));
        store(dk + (3 * t + 2) * size + q, half + a[t][3]);
      }
    }
  });
}

inline void winograd_kernel(ffi::ThreadPool& pool, const Winograd& s, const float* x, const float* dy, float* dk) {
  constexpr int64_t kChannels = 128, kTiles = 96;  // of x that a task has; that it transforms at a time
  const int64_t tiles = s.tiles(), cuts = (s.ins + kChannels - 1) / kChannels, size = 16 * s.ins * s.outs;
  const int64_t parts = std::clamp<int64_t>(tiles / kTiles, 1, std::max<int64_t>(1, 8 / cuts));
  const int64_t part = (tiles + parts - 1) / parts;
  float* const u = scratch<float>(0, parts * size);
  parallel_for(pool, parts * cuts, s.cost(), [&](int64_t task) {
    const int64_t z = task % parts, start = task / parts * kChannels, channels = std::min(kChannels, s.ins - start);
    const int64_t last = std::min(tiles, (z + 1) * part), begin = std::min(last, z * part);
    for (int64_t first = begin; first == begin || first < last; first += kTiles) {
      const int64_t rows = std::min(kTiles, last - first);
      float* const v = scratch<float>(1, 16 * plane(rows, channels));
      float* const g = scratch<float>(2, 16 * plane(rows, s.outs));
      input_tiles(s, x, first, rows, start, channels, v);
      gradient_tiles(s, dy, first, rows, g);
      for (int64_t f = 0; f < 16; ++f)
        for (int64_t j = 0; j < s.outs; j += kPanel)
          product_in_place(channels, std::min(kPanel, s.outs - j), rows, {v + f * plane(rows, channels), 1, channels},
                           g + f * plane(rows, s.outs) + j, s.outs, u + z * size + (f * s.ins + start) * s.outs + j,
                           s.outs, first > begin);
    }
  });
  taps(pool, s, u, parts, dk);
}

}  // namespace thalweg
