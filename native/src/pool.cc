// Pooling: the largest and the mean place of each window, channel by channel, and their gradients.
//
// A gradient is gathered line by line of the input, from the windows that read it, so lines are independent and each is
// written once, in the first cache, however the windows overlap.
#include <cstring>
#include <limits>

#include "handler.h"
#include "parallel.h"
#include "windows.h"

namespace thalweg {
namespace {

using U8 = ffi::Buffer<ffi::U8>;
using OutU8 = ffi::ResultBuffer<ffi::U8>;

struct Shape {
  int64_t batch, channels;
  Axis h, w;

  int64_t cost() const { return 4 * batch * channels * (h.in * w.in + h.out * w.out * h.taps * w.taps); }
};

// at[tap]: what the taps read for output place (i, j) of picture x; null outside.
inline void read(const Shape& s, const float* x, int64_t i, int64_t j, const float** at) {
  for (int64_t t = 0; t < s.h.taps; ++t)
    for (int64_t u = 0; u < s.w.taps; ++u) {
      const int64_t p = s.h.place(i, t), q = s.w.place(j, u);
      *at++ = p >= 0 && p < s.h.in && q >= 0 && q < s.w.in ? x + (p * s.w.in + q) * s.channels : nullptr;
    }
}

// Winners are kept as bytes, and compared as lanes as wide as a float.
typedef uint8_t vb __attribute__((vector_size(kLanes)));

inline vi winners(const uint8_t* p, int64_t n) {
  vb bytes{};
  std::memcpy(&bytes, p, n);
  return __builtin_convertvector(bytes, vi);
}

inline void keep(uint8_t* p, vi taps, int64_t n) {
  const vb bytes = __builtin_convertvector(taps, vb);
  std::memcpy(p, &bytes, n);
}

// The largest of each channel, and the first tap that holds it. As in the formula a NaN is the largest, and since it
// equals nothing, the last tap then.
template <bool kWinner>
void largest(const Shape& s, const float* const* at, float* y, uint8_t* winner) {
  const int taps = static_cast<int>(s.h.taps * s.w.taps);
  vectors(s.channels, [&](int64_t c, auto n) {
    vf best = at[0] ? some(at[0] + c, n) : splat(-std::numeric_limits<float>::infinity());
    vi tap = (best != best) & (taps - 1);
    for (int t = 1; t < taps; ++t) {
      if (!at[t]) continue;
      const vf a = some(at[t] + c, n);
      const vi nan = a != a, more = a > best;
      if (kWinner) tap = nan ? vi{} + (taps - 1) : more ? vi{} + t : tap;
      best = more | nan ? a : best;
    }
    put(y + c, best, n);
    if (kWinner) keep(winner + c, tap, n);
  });
}

void max(ffi::ThreadPool& pool, const Shape& s, const float* x, float* y, uint8_t* winner) {
  const int64_t picture = s.h.in * s.w.in * s.channels;
  parallel_blocks(pool, s.batch * s.h.out, 8, s.cost(), [&](int64_t r, int64_t end) {
    const float* at[256];
    for (; r < end; ++r)
      for (int64_t j = 0; j < s.w.out; ++j) {
        const int64_t to = (r * s.w.out + j) * s.channels;
        read(s, x + r / s.h.out * picture, r % s.h.out, j, at);
        if (winner) largest<true>(s, at, y + to, winner + to);
        else largest<false>(s, at, y + to, nullptr);
      }
  });
}

// add(place of y, tap, line of x at the place that the tap reads) for each window that reads a line of x
template <typename Add>
void gather(ffi::ThreadPool& pool, const Shape& s, float* dx, const Add& add) {
  const int64_t line = s.w.in * s.channels;
  parallel_blocks(pool, s.batch * s.h.in, 8, s.cost(), [&](int64_t r, int64_t end) {
    for (; r < end; ++r) {
      float* const to = dx + r * line;
      clear(to, line);
      for (int64_t t = 0; t < s.h.taps; ++t) {
        const int64_t i = s.h.reader(r % s.h.in, t);
        if (i < 0) continue;
        for (int64_t u = 0; u < s.w.taps; ++u)
          for (int64_t j = s.w.first(u); j < s.w.end(u); ++j)
            add(r / s.h.in, i, j, t * s.w.taps + u, to + s.w.place(j, u) * s.channels);
      }
    }
  });
}

// Windows that neither overlap nor reach outside: each number of x is written once, from the one window that reads it.
void max_data_apart(ffi::ThreadPool& pool, const Shape& s, const float* dy, const uint8_t* winner, float* dx) {
  const int64_t line = s.w.in * s.channels;
  parallel_blocks(pool, s.batch * s.h.out, 2, s.cost(), [&](int64_t r, int64_t end) {
    for (; r < end; ++r) {
      const int64_t i = r % s.h.out, first = i * s.h.stride, last = i + 1 == s.h.out ? s.h.in : first + s.h.stride;
      float* const lines = dx + (r / s.h.out * s.h.in + first) * line;
      clear(lines, (last - first) * line);
      for (int64_t j = 0; j < s.w.out; ++j) {
        const int64_t at = (r * s.w.out + j) * s.channels;
        vectors(s.channels, [&](int64_t c, auto n) {
          const vf d = some(dy + at + c, n);
          const vi won = winners(winner + at + c, n);
          for (int64_t t = 0; t < s.h.taps; ++t)
            for (int64_t u = 0; u < s.w.taps; ++u)
              put(lines + t * line + (j * s.w.stride + u) * s.channels + c,
                  won == static_cast<int32_t>(t * s.w.taps + u) ? d : vf{}, n);
        });
      }
    }
  });
}

void max_data(ffi::ThreadPool& pool, const Shape& s, const float* dy, const uint8_t* winner, float* dx) {
  const auto apart = [](const Axis& a) {
    return a.before == 0 && a.stride >= a.taps && a.out > 0 && (a.out - 1) * a.stride + a.taps <= a.in;
  };
  if (apart(s.h) && apart(s.w)) return max_data_apart(pool, s, dy, winner, dx);
  gather(pool, s, dx, [&](int64_t n, int64_t i, int64_t j, int64_t tap, float* to) {
    const int64_t at = ((n * s.h.out + i) * s.w.out + j) * s.channels;
    vectors(s.channels, [&](int64_t c, auto n) {
      put(to + c, some(to + c, n) + (winners(winner + at + c, n) == static_cast<int32_t>(tap) ? some(dy + at + c, n) : vf{}), n);
    });
  });
}

// One over the number of places of window (i, j) that are in x.
inline float share(const Shape& s, int64_t i, int64_t j) {
  return 1.0f / static_cast<float>(s.h.inside(i) * s.w.inside(j));
}

void average(ffi::ThreadPool& pool, const Shape& s, const float* x, float* y) {
  const int64_t picture = s.h.in * s.w.in * s.channels;
  parallel_blocks(pool, s.batch * s.h.out, 8, s.cost(), [&](int64_t r, int64_t end) {
    const float* at[256];
    for (; r < end; ++r)
      for (int64_t j = 0; j < s.w.out; ++j) {
        const float part = share(s, r % s.h.out, j);
        read(s, x + r / s.h.out * picture, r % s.h.out, j, at);
        vectors(s.channels, [&](int64_t c, auto n) {
          vf sum{};
          for (int64_t t = 0; t < s.h.taps * s.w.taps; ++t)
            if (at[t]) sum += some(at[t] + c, n);
          put(y + (r * s.w.out + j) * s.channels + c, sum * part, n);
        });
      }
  });
}

void average_data(ffi::ThreadPool& pool, const Shape& s, const float* dy, float* dx) {
  gather(pool, s, dx, [&](int64_t n, int64_t i, int64_t j, int64_t, float* to) {
    const float* const at = dy + ((n * s.h.out + i) * s.w.out + j) * s.channels;
    const float part = share(s, i, j);
    vectors(s.channels, [&](int64_t c, auto n) { put(to + c, some(to + c, n) + some(at + c, n) * part, n); });
  });
}

// x: [.., batch, h, w, channels], y: [.., batch, oh, ow, channels], whichever is the result. `window`: stride, dilation
// and places in front, of the height and of the width, then the taps of both.
template <typename Compute, typename X, typename Y>
ffi::Error run(const X& x, const Y& y, Dims window, const Compute& compute) {
  const auto dx = x.dimensions(), dy = y.dimensions();
  const size_t r = dx.size();
  THALWEG_EXPECT(sane(window) && window.size() == 8 && window[1] == 1 && window[4] == 1, "pool", "the window's numbers are out of range", x);
  THALWEG_EXPECT(window[6] >= 1 && window[7] >= 1 && window[6] <= 256 && window[7] <= 256 && window[6] * window[7] <= 256,
                 "pool", "a window must have 1 to 256 places", x);
  THALWEG_EXPECT(r >= 4 && dy.size() == r, "pool", "x and y must have four axes at least", x);
  for (size_t i = 0; i < r; ++i)
    THALWEG_EXPECT(i + 3 == r || i + 2 == r || dx[i] == dy[i], "pool", "the leading axes or the channels differ", x);
  const Shape s{leading(dx, 3), dx[r - 1], axis(window, 0, dx[r - 3], dy[r - 3], window[6]),
                axis(window, 1, dx[r - 2], dy[r - 2], window[7])};
  compute(s, x.typed_data(), y.typed_data());
  return ffi::Error::Success();
}

ffi::Error RunMax(ffi::ThreadPool pool, F32 x, OutF32 y, OutU8 winner, Dims window) {
  const bool wanted = winner->element_count() > 0;
  THALWEG_EXPECT(!wanted || winner->element_count() == y->element_count(), "pool", "a winner for each number", *winner);
  return run(x, *y, window, [&](const Shape& s, const float* x, float* y) {
    max(pool, s, x, y, wanted ? winner->typed_data() : nullptr);
  });
}

ffi::Error RunMaxData(ffi::ThreadPool pool, F32 dy, U8 winner, OutF32 dx, Dims window) {
  THALWEG_EXPECT(winner.element_count() == dy.element_count(), "pool", "there must be a winner for each number", winner);
  return run(*dx, dy, window, [&](const Shape& s, float* dx, const float* dy) {
    max_data(pool, s, dy, winner.typed_data(), dx);
  });
}

ffi::Error RunAverage(ffi::ThreadPool pool, F32 x, OutF32 y, Dims window) {
  return run(x, *y, window, [&](const Shape& s, const float* x, float* y) { average(pool, s, x, y); });
}

ffi::Error RunAverageData(ffi::ThreadPool pool, F32 dy, OutF32 dx, Dims window) {
  return run(*dx, dy, window, [&](const Shape& s, float* dx, const float* dy) { average_data(pool, s, dy, dx); });
}

}  // namespace

THALWEG_HANDLER(thalweg_max_pool, RunMax, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>().Ret<U8>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_max_pool_data, RunMaxData, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<U8>().Ret<F32>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_average_pool, RunAverage, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_average_pool_data, RunAverageData, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));

}  // namespace thalweg
