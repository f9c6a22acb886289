// Depthwise convolution and its two gradients: channels lie side by side, so a vector holds neighbours of one place, and
// each tap is a multiplication of vectors.
#include "handler.h"
#include "parallel.h"
#include "scratch.h"
#include "windows.h"

namespace thalweg {
namespace {

struct Shape {
  int64_t batch, channels;
  Axis h, w;
};

// y[j] += x[stride j + ..] K[t] along one line, for all taps of the width
void add_line(const Shape& s, const float* x, const float* kernel, float* y) {
  for (int64_t u = 0; u < s.w.taps; ++u, kernel += s.channels) {
    const int64_t first = s.w.first(u), end = s.w.end(u), step = s.w.stride * s.channels;
    vectors(s.channels, [&](int64_t c, auto n) {
      const vf k = some(kernel + c, n);
      const float* from = x + s.w.place(first, u) * s.channels + c;
      float* to = y + first * s.channels + c;
      for (int64_t j = first; j < end; ++j, from += step, to += s.channels)
        put(to, some(to, n) + some(from, n) * k, n);
    });
  }
}

// The transpose of it: dx[stride j + ..] += dy[j] K[t]
void add_line_back(const Shape& s, const float* dy, const float* kernel, float* dx) {
  for (int64_t u = 0; u < s.w.taps; ++u, kernel += s.channels) {
    const int64_t first = s.w.first(u), end = s.w.end(u), step = s.w.stride * s.channels;
    vectors(s.channels, [&](int64_t c, auto n) {
      const vf k = some(kernel + c, n);
      const float* from = dy + first * s.channels + c;
      float* to = dx + s.w.place(first, u) * s.channels + c;
      for (int64_t j = first; j < end; ++j, from += s.channels, to += step)
        put(to, some(to, n) + some(from, n) * k, n);
    });
  }
}

// sums[u] += sum over j of x[stride j + ..] dy[j]
void sum_line(const Shape& s, const float* x, const float* dy, float* sums) {
  for (int64_t u = 0; u < s.w.taps; ++u, sums += s.channels) {
    const int64_t first = s.w.first(u), end = s.w.end(u), step = s.w.stride * s.channels;
    vectors(s.channels, [&](int64_t c, auto n) {
      const float* a = x + s.w.place(first, u) * s.channels + c;
      const float* b = dy + first * s.channels + c;
      vf part[4] = {};  // four chains, or each addition would wait for the one before
      int64_t j = first;
      for (; j + 4 <= end; j += 4)
        for (int q = 0; q < 4; ++q, a += step, b += s.channels) part[q] += some(a, n) * some(b, n);
      for (; j < end; ++j, a += step, b += s.channels) part[0] += some(a, n) * some(b, n);
      put(sums + c, some(sums + c, n) + ((part[0] + part[1]) + (part[2] + part[3])), n);
    });
  }
}

void Compute(ffi::ThreadPool& pool, const Shape& s, const float* x, const float* kernel, float* y) {
  const int64_t line = s.w.out * s.channels;
  parallel_blocks(pool, s.batch * s.h.out, 8, 2 * s.batch * s.h.out * line * s.h.taps * s.w.taps,
                  [&](int64_t r, int64_t end) {
    for (; r < end; ++r) {
      clear(y + r * line, line);
      for (int64_t t = 0; t < s.h.taps; ++t) {
        const int64_t p = s.h.place(r % s.h.out, t);
        if (p >= 0 && p < s.h.in)
          add_line(s, x + (r / s.h.out * s.h.in + p) * s.w.in * s.channels, kernel + t * s.w.taps * s.channels, y + r * line);
      }
    }
  });
}

void ComputeData(ffi::ThreadPool& pool, const Shape& s, const float* dy, const float* kernel, float* dx) {
  const int64_t line = s.w.in * s.channels, cost = 2 * s.batch * s.h.out * s.w.out * s.channels * s.h.taps * s.w.taps;
  parallel_blocks(pool, s.batch * s.h.in, 8, cost, [&](int64_t r, int64_t end) {
    for (; r < end; ++r) {
      clear(dx + r * line, line);
      for (int64_t t = 0; t < s.h.taps; ++t) {
        const int64_t i = s.h.reader(r % s.h.in, t);
        if (i >= 0)
          add_line_back(s, dy + (r / s.h.in * s.h.out + i) * s.w.out * s.channels, kernel + t * s.w.taps * s.channels, dx + r * line);
      }
    }
  });
}

void ComputeKernel(ffi::ThreadPool& pool, const Shape& s, const float* x, const float* dy, float* dk) {
  constexpr int64_t kParts = 8;  // of the batch, each with sums of its own
  const int64_t size = s.h.taps * s.w.taps * s.channels, part = (s.batch + kParts - 1) / kParts;
  float* const sums = scratch<float>(0, kParts * size);
  parallel_for(pool, kParts, 2 * s.batch * s.h.out * s.w.out * size, [&](int64_t z) {
    float* const own = sums + z * size;
    clear(own, size);
    for (int64_t n = z * part; n < std::min(s.batch, (z + 1) * part); ++n)
      for (int64_t i = 0; i < s.h.out; ++i)
        for (int64_t t = 0; t < s.h.taps; ++t) {
          const int64_t p = s.h.place(i, t);
          if (p >= 0 && p < s.h.in)
            sum_line(s, x + (n * s.h.in + p) * s.w.in * s.channels, dy + (n * s.h.out + i) * s.w.out * s.channels,
                     own + t * s.w.taps * s.channels);
        }
  });
  for (int64_t q = 0; q < size; ++q) {
    dk[q] = sums[q];
    for (int64_t z = 1; z < kParts; ++z) dk[q] += sums[z * size + q];
  }
}

// x: [.., batch, h, w, channels], K: [.., th, tw, channels], y: [.., batch, oh, ow, channels], whichever is the result.
template <typename Compute, typename X, typename K, typename Y>
ffi::Error run(ffi::ThreadPool& pool, const X& x, const K& k, const Y& y, Dims window, const Compute& compute) {
  const auto dx = x.dimensions(), dk = k.dimensions(), dy = y.dimensions();
  const size_t r = dx.size();
  THALWEG_EXPECT(sane(window), "depthwise", "the window's numbers are out of range", x);
  THALWEG_EXPECT(r >= 4 && dy.size() == r, "depthwise", "x and y must have four axes at least", x);
  THALWEG_EXPECT(dk.size() + 1 == r, "depthwise", "the kernel must have one axis less than x", k);
  for (size_t i = 0; i + 4 < r; ++i)
    THALWEG_EXPECT(dx[i] == dk[i] && dx[i] == dy[i], "depthwise", "the leading axes differ", x);
  THALWEG_EXPECT(dx[r - 4] == dy[r - 4], "depthwise", "x and y are batches of different sizes", y);
  THALWEG_EXPECT(dx[r - 1] == dy[r - 1] && dx[r - 1] == dk[r - 2], "depthwise", "the channels differ", k);
  const Shape s{dx[r - 4], dx[r - 1], axis(window, 0, dx[r - 3], dy[r - 3], dk[r - 4]),
                axis(window, 1, dx[r - 2], dy[r - 2], dk[r - 3])};
  const int64_t per_place = s.batch * s.channels, taps = s.h.taps * s.w.taps * s.channels;
  for (int64_t i = 0, batch = leading(dx, 4); i < batch; ++i)
    compute(pool, s, x.typed_data() + i * per_place * s.h.in * s.w.in, k.typed_data() + i * taps,
            y.typed_data() + i * per_place * s.h.out * s.w.out);
  return ffi::Error::Success();
}

ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 k, OutF32 y, Dims window) {
  return run(pool, x, k, *y, window, [](auto& p, const Shape& s, const float* x, const float* k, float* y) {
    Compute(p, s, x, k, y);
  });
}

ffi::Error RunData(ffi::ThreadPool pool, F32 dy, F32 k, OutF32 dx, Dims window) {
  return run(pool, *dx, k, dy, window, [](auto& p, const Shape& s, float* dx, const float* k, const float* dy) {
    ComputeData(p, s, dy, k, dx);
  });
}

ffi::Error RunKernel(ffi::ThreadPool pool, F32 x, F32 dy, OutF32 dk, Dims window) {
  return run(pool, x, *dk, dy, window, [](auto& p, const Shape& s, const float* x, float* dk, const float* dy) {
    ComputeKernel(p, s, x, dy, dk);
  });
}

}  // namespace

THALWEG_HANDLER(thalweg_depthwise, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_depthwise_data, RunData, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_depthwise_kernel, RunKernel, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));

}  // namespace thalweg
