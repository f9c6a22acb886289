// Convolution read from the pictures where they lie: the rows of a tile are neighbouring output places, whose numbers
// under one tap are `stride` places apart, so no matrix of patches is written.
//
//     forward   C rows: places of one output row;  terms: the taps' channels;    B: the kernel's panels
//     kernel    C rows: the taps' channels;        terms: places of an output row; B: dy
//
// Only pictures with zeros around them are copied, one at a time, with the zeros.
#pragma once

#include "ending.h"
#include "product.h"
#include "scratch.h"
#include "windows.h"

namespace thalweg {

inline constexpr int64_t kUnits = 8;  // that the work is cut into at least, where it can be: cut by shape, not by threads

struct Direct {
  int64_t batch, ins, outs;
  Axis h, w;
  bool skips = false;  // lines of zeros, which a gradient has no terms for; forward, a kernel's NaN times 0 is one

  // Numbers that lie side by side: all taps of the width, where they are neighbours.
  int64_t run() const { return w.dilation == 1 ? w.taps * ins : ins; }
  int64_t runs() const { return w.dilation == 1 ? 1 : w.taps; }
  int64_t terms() const { return h.taps * w.taps * ins; }

  static int64_t reach(const Axis& a, int64_t outputs) { return (outputs - 1) * a.stride + a.dilation * (a.taps - 1) + 1; }
  bool around() const { return h.before || w.before || reach(h, h.out) > h.in || reach(w, w.out) > w.in; }
  int64_t line() const { return (around() ? reach(w, w.out) : w.in) * ins; }

  // Whether tap v of output row i reads a line of the picture.
  bool inside(int64_t i, int64_t v) const {
    const int64_t y = i * h.stride + v * h.dilation - h.before;
    return y >= 0 && y < h.in;
  }

  // Output rows are long enough to fill a tile, and a picture fits into the second cache.
  bool serves() const { return w.out >= 8 && batch > 0 && h.out > 0 && reach(h, h.out) * reach(w, w.out) * ins < 1 << 18; }

  // What output rows [i, end) of picture n read, from their first tap on; lines are `line()` apart.
  const float* picture(const float* x, int64_t n, int64_t i, int64_t end) const {
    const float* const own = x + n * h.in * w.in * ins;
    if (!around()) return own + i * h.stride * line();
    const int64_t lines = reach(h, end - i), wide = reach(w, w.out);
    float* const to = scratch<float>(1, reach(h, h.out) * line());
    const int64_t low = std::clamp<int64_t>(w.before, 0, wide), high = std::clamp<int64_t>(w.in + w.before, low, wide);
    for (int64_t l = 0; l < lines; ++l) {
      const int64_t y = i * h.stride + l - h.before;
      float* const at = to + l * line();
      if (y < 0 || y >= h.in) {
        clear(at, line());
        continue;
      }
      clear(at, low * ins);
      copy(at + low * ins, own + (y * w.in + low - w.before) * ins, (high - low) * ins);
      clear(at + high * ins, (wide - high) * ins);
    }
    return to;
  }
};

// y from the kernel as panels [outs / kPanel, terms, kPanel].
inline void direct(ffi::ThreadPool& pool, const Direct& s, const float* x, const float* panels, const Ending& ending, float* y) {
  constexpr int64_t kMost = tile_rows(2);
  const int64_t pieces = (s.w.out + kMost - 1) / kMost, piece = (s.w.out + pieces - 1) / pieces;
  const int64_t cuts = std::min(s.h.out, (kUnits + s.batch - 1) / s.batch), rows = (s.h.out + cuts - 1) / cuts;
  const int64_t line = s.line(), run = s.run(), step = s.w.stride * s.ins;
  parallel_for(pool, s.batch * cuts, 2 * s.batch * s.h.out * s.w.out * s.terms() * s.outs, [&](int64_t unit) {
    const int64_t n = unit / cuts, first = unit % cuts * rows, end = std::min(s.h.out, first + rows);
    if (first >= end) return;
    const float* const picture = s.picture(x, n, first, end);
    for (int64_t c = 0; c < s.outs; c += kPanel) {
      const int64_t wide = std::min(kPanel, s.outs - c), last = in_last(wide);
      const float* const panel = panels + c * s.terms();
      for (int64_t i = first; i < end; ++i) {
        float* const out = y + ((n * s.h.out + i) * s.w.out) * s.outs + c;
        const auto visit = [&](auto M, auto N, int64_t j) {
          Tile<decltype(M)::value, decltype(N)::value> t;
          t.zero();
          const float* b = panel;
          for (int64_t v = 0; v < s.h.taps; ++v)
            for (int64_t u = 0; u < s.runs(); ++u, b += run * kPanel) {
              if (s.skips && !s.inside(i, v)) continue;
              const int64_t at = ((i - first) * s.h.stride + v * s.h.dilation) * line + u * s.w.dilation * s.ins;
              t.template add_columns<true>(run, {picture + at + j * step, step, 1}, b, kPanel, kLanes);
            }
          ending(t, j, c, last);
          t.write(out + j * s.outs, s.outs, last);
        };
        for (int64_t j = 0; j < s.w.out; j += piece) {
          const int64_t places = std::min(piece, s.w.out - j);
          if (wide > kLanes) rest_of_rows<kMost, 2>(places, j, visit);
          else rest_of_rows<kMost, 1>(places, j, visit);
        }
      }
    }
  });
}

// dK [terms, outs]: pictures in fixed parts, whose sums are added in order.
inline void direct_kernel(ffi::ThreadPool& pool, const Direct& s, const float* x, const float* dy, float* dk) {
  const int64_t parts = std::min(s.batch, kUnits), size = s.terms() * s.outs;
  const int64_t line = s.line(), run = s.run(), step = s.w.stride * s.ins, row = s.w.out * s.outs;
  float* const sums = scratch<float>(3, parts * size);
  parallel_for(pool, parts, 2 * s.batch * s.h.out * s.w.out * size, [&](int64_t part) {
    float* const own = sums + part * size;
    for (int64_t n = part; n < s.batch; n += parts) {
      const float* const picture = s.picture(x, n, 0, s.h.out);
      const float* const from = dy + n * s.h.out * row;
      for (int64_t first = 0; first < s.outs; first += kPanel) {  // of dy, so that a picture's part stays in the first cache
        const int64_t wide = std::min(kPanel, s.outs - first), last = in_last(wide);
        for (int64_t tap = 0; tap < s.h.taps * s.runs(); ++tap) {
          const int64_t at = tap / s.runs() * s.h.dilation * line + tap % s.runs() * s.w.dilation * s.ins;
          float* const c = own + tap * run * s.outs + first;
          const auto visit = [&](auto M, auto N, int64_t r) {
            Tile<decltype(M)::value, decltype(N)::value> t;
            if (n == part) t.zero();
            else t.read(c + r * s.outs, s.outs, last);
            for (int64_t i = 0; i < s.h.out; ++i)
              t.add(s.w.out, {picture + at + i * s.h.stride * line + r, 1, step}, from + i * row + first, s.outs, last);
            t.write(c + r * s.outs, s.outs, last);
          };
          if (wide > kLanes) tiles_of_columns<2>(run, visit);
          else tiles_of_columns<1>(run, visit);
        }
      }
    }
  });
  std::copy_n(sums, size, dk);
  for (int64_t part = 1; part < parts; ++part)
    for (int64_t i = 0; i < size; ++i) dk[i] += sums[part * size + i];
}

}  // namespace thalweg
