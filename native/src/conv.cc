// Convolution over pictures and its two gradients, each a product with the matrix of patches (patches.h).
//
//     forward   y  = P(x) K
//     data      dx = P'(dy) K'    for each phase of the stride: its places of x read the taps that reach them, K' holds
//                                 these taps reversed, with the channels in and out exchanged
//     kernel    dK = P(x)^T dy
#include <numeric>

#include "direct.h"
#include "handler.h"
#include "patches.h"
#include "product.h"
#include "scratch.h"
#include "winograd.h"

namespace thalweg {
namespace {

struct Shape {
  int64_t batch, ins, outs, groups;  // channels of all groups
  Axis h, w;

  int64_t group_ins() const { return ins / groups; }
  int64_t group_outs() const { return outs / groups; }
  int64_t places() const { return batch * h.out * w.out; }

  Direct direct() const { return {batch, ins, outs, h, w}; }
  Direct direct_data() const {  // dx as a convolution of dy
    const auto turned = [](const Axis& a) {
      return Axis{a.out, a.in, a.taps, 1, a.dilation, a.dilation * (a.taps - 1) - a.before};
    };
    return {batch, outs, ins, turned(h), turned(w), true};
  }
  Winograd fast() const { return {batch, ins, outs, h, w}; }
  Winograd fast_data() const {  // dx as a convolution of dy
    return {batch, outs, ins, {h.out, h.in, h.taps, 1, 1, h.taps - 1 - h.before},
            {w.out, w.in, w.taps, 1, 1, w.taps - 1 - w.before}};
  }
};

// to: [panels, terms, kPanel], the columns of `b` in panels, the last one filled with zeros
void pack(ffi::ThreadPool& pool, Matrix b, int64_t terms, int64_t columns, int64_t total, int64_t from, float* to) {
  const int64_t panels = (columns + kPanel - 1) / kPanel;
  parallel_blocks(pool, panels, 1, 8 * terms * columns, [&](int64_t p, int64_t) {
    const int64_t wide = std::min(kPanel, columns - p * kPanel);
    pack_panels({b.at + p * kPanel * b.column, b.row, b.column}, terms, wide, to + (p * total + from) * kPanel);
  });
}

// C [places, columns] = the patches times the panels. The numbers of place p go to where(p); `ending` has these columns.
template <typename Where>
void gathered(ffi::ThreadPool& pool, const Patches& a, int64_t places, const float* panels, int64_t columns,
              bool in_place, const Ending& ending, const Where& where) {
  const int64_t terms = a.terms();
  const int64_t block = std::clamp<int64_t>((places + 7) / 8 / 12 * 12, 12, kRows);
  parallel_blocks(pool, places, block, 2 * places * terms * columns, [&](int64_t p, int64_t end) {
    const int64_t rows = end - p, row = in_place ? where(1) - where(0) : columns;
    float* const c = in_place ? where(p) : scratch<float>(2, rows * columns);
    for (int64_t k = 0; k == 0 || k < terms; k += kShallow) {
      const int64_t depth = std::min(kShallow, terms - k);
      const Strided patches = a.block(p, rows, k, depth, scratch<float>(1, rows * depth));
      for (int64_t j = 0; j < columns; j += kPanel)
        product_in_place(rows, std::min(kPanel, columns - j), depth, patches, panels + j * terms + k * kPanel, kPanel,
                         c + j, row, k > 0, {k + depth == terms ? &ending : nullptr, 0, j});
    }
    for (int64_t r = 0; !in_place && r < rows; ++r) copy(where(p + r), c + r * columns, columns);
  });
}

void Compute(ffi::ThreadPool& pool, const Shape& s, const float* x, const float* kernel, const Ending& ending, float* y) {
  if (s.groups == 1 && s.fast().serves()) return winograd(pool, s.fast(), x, kernel, false, ending, y);
  const int64_t ins = s.group_ins(), outs = s.group_outs(), terms = s.h.taps * s.w.taps * ins;
  for (int64_t g = 0; g < s.groups; ++g) {
    float* const panels = scratch<float>(0, (outs + kPanel - 1) / kPanel * kPanel * terms);
    pack(pool, {kernel + g * outs, s.outs, 1}, terms, outs, terms, 0, panels);
    if (s.groups == 1 && s.direct().serves()) return thalweg::direct(pool, s.direct(), x, panels, ending, y);
    gathered(pool, {x, s.h, s.w, s.ins, g * ins, ins}, s.places(), panels, outs, true,
             {ending.bias ? ending.bias + g * outs : nullptr, ending.relu}, [&](int64_t p) { return y + p * s.outs + g * outs; });
  }
}

// The places r, r + stride, .. of an axis: which taps reach them, and where these read the gradient.
struct Phase {
  Axis axis;
  int64_t tap, step;  // tap of the kernel that tap u of `axis` stands for: tap + u * step

  Phase(const Axis& a, int64_t r) {
    const int64_t common = std::gcd(a.stride, a.dilation), between = a.stride / common, d = a.dilation / common;
    const auto reach = [&](int64_t t) { return r + a.before - a.dilation * t; };
    int64_t t = 0;
    while (t < std::min(a.taps, between) && reach(t) % a.stride != 0) ++t;
    const int64_t taps = t < std::min(a.taps, between) ? (a.taps - 1 - t) / between + 1 : 0;
    axis = {a.out, (a.in - r + a.stride - 1) / a.stride, taps, 1, d, d * (taps - 1) - reach(t) / a.stride};
    tap = t + between * (taps - 1);
    step = -between;
  }
};

void ComputeData(ffi::ThreadPool& pool, const Shape& s, const float* dy, const float* kernel, float* dx) {
  if (s.groups == 1 && s.fast().plain() && s.fast_data().serves()) return winograd(pool, s.fast_data(), dy, kernel, true, {}, dx);
  const int64_t ins = s.group_ins(), outs = s.group_outs();
  for (int64_t rh = 0; rh < std::min(s.h.stride, s.h.in); ++rh)
    for (int64_t rw = 0; rw < std::min(s.w.stride, s.w.in); ++rw) {
      const Phase h(s.h, rh), w(s.w, rw);
      const int64_t taps = h.axis.taps * w.axis.taps, terms = taps * outs;
      for (int64_t g = 0; g < s.groups; ++g) {
        float* const panels = scratch<float>(0, (ins + kPanel - 1) / kPanel * kPanel * terms);
        for (int64_t t = 0; t < taps; ++t) {
          const int64_t tap = (h.tap + t / w.axis.taps * h.step) * s.w.taps + w.tap + t % w.axis.taps * w.step;
          pack(pool, {kernel + tap * ins * s.outs + g * outs, 1, s.outs}, outs, ins, terms, t * outs, panels);
        }
        const bool whole = s.groups == 1 && s.h.stride == 1 && s.w.stride == 1;
        if (whole && s.direct_data().serves()) return thalweg::direct(pool, s.direct_data(), dy, panels, {}, dx);
        const auto where = [&](int64_t p) {
          const int64_t j = p % w.axis.out, i = p / w.axis.out % h.axis.out, n = p / w.axis.out / h.axis.out;
          return dx + ((n * s.h.in + rh + s.h.stride * i) * s.w.in + rw + s.w.stride * j) * s.ins + g * ins;
        };
        gathered(pool, {dy, h.axis, w.axis, s.outs, g * outs, outs}, s.batch * h.axis.out * w.axis.out, panels, ins,
                 s.h.stride == 1 && s.w.stride == 1, {}, where);
      }
    }
}

// dK's rows [k, k + rows) of group g, summed over the places [p, end), to or onto `c`.
void kernel_block(const Shape& s, const Patches& a, const float* dy, int64_t columns, int64_t k, int64_t rows,
                  int64_t p, int64_t end, float* c, int64_t c_row) {
  for (int64_t q = p; q == p || q < end; q += kShallow) {
    const int64_t depth = std::min(kShallow, end - q);
    const Strided patches = a.block(q, depth, k, rows, scratch<float>(1, rows * depth));
    for (int64_t j = 0; j < columns; j += kPanel) {
      const int64_t wide = std::min(kPanel, columns - j);
      const float* b = dy + q * s.outs + j;
      int64_t b_row = s.outs;
      if (s.outs > 4 * kPanel) {  // rows far apart fall onto the same lines of the first cache
        float* const panel = scratch<float>(2, kShallow * kPanel);
        for (int64_t r = 0; r < depth; ++r) copy(panel + r * kPanel, b + r * b_row, wide);
        b = panel, b_row = kPanel;
      }
      product_in_place(rows, wide, depth, {patches.at, patches.k, patches.row}, b, b_row, c + j, c_row, q > p);
    }
  }
}

void ComputeKernel(ffi::ThreadPool& pool, const Shape& s, const float* x, const float* dy, float* dk) {
  if (s.groups == 1 && s.fast().serves()) return winograd_kernel(pool, s.fast(), x, dy, dk);
  const int64_t ins = s.group_ins(), outs = s.group_outs(), terms = s.h.taps * s.w.taps * ins, places = s.places();
  if (s.groups == 1 && s.direct().serves() && terms * outs < 1 << 17) return direct_kernel(pool, s.direct(), x, dy, dk);
  const int64_t blocks = (terms + kRows - 1) / kRows;
  const int64_t block = blocks ? ((terms + blocks - 1) / blocks + 11) / 12 * 12 : 0;
  // few blocks: the places are cut too, by the shape alone, and the parts summed in order
  const int64_t least = std::max<int64_t>(1, 8 / std::max<int64_t>(1, blocks * s.groups));
  const int64_t parts = std::clamp<int64_t>(places / (4 * kShallow), 1, least);
  const int64_t part = ((places + parts - 1) / parts + kShallow - 1) / kShallow * kShallow, size = terms * s.outs;
  float* const sums = parts > 1 ? scratch<float>(3, parts * size) : dk;
  parallel_for(pool, blocks * s.groups * parts, 2 * places * size / s.groups, [&](int64_t i) {
    const int64_t z = i % parts, g = i / parts % s.groups, k = i / parts / s.groups * block;
    const int64_t p = std::min(places, z * part), end = std::min(places, p + part);
    const Patches a{x, s.h, s.w, s.ins, g * ins, ins};
    if (k < terms)
      kernel_block(s, a, dy + g * outs, outs, k, std::min(block, terms - k), p, end,
                   sums + z * size + k * s.outs + g * outs, s.outs);
  });
  if (parts == 1) return;
  for (int64_t i = 0; i < size; ++i) {
    float sum = sums[i];
    for (int64_t z = 1; z < parts; ++z) sum += sums[z * size + i];
    dk[i] = sum;
  }
}

// x: [.., batch, h, w, ins], K: [.., th, tw, ins / groups, outs], y: [.., batch, oh, ow, outs], whichever is the result.
// `window`: stride, dilation and zeros in front, of the height and of the width, and the groups.
template <typename Compute, typename X, typename K, typename Y>
ffi::Error run(ffi::ThreadPool& pool, const X& x, const K& k, const Y& y, Dims window, const Compute& compute) {
  const auto dx = x.dimensions(), dk = k.dimensions(), dy = y.dimensions();
  const size_t r = dx.size();
  THALWEG_EXPECT(sane(window) && window.size() == 7 && window[6] >= 1, "conv", "the window's numbers are out of range", x);
  THALWEG_EXPECT(r >= 4 && dy.size() == r, "conv", "x and y must have four axes at least", x);
  THALWEG_EXPECT(dk.size() == r, "conv", "the kernel must have as many axes as x", k);
  for (size_t i = 0; i + 4 < r; ++i)
    THALWEG_EXPECT(dx[i] == dk[i] && dx[i] == dy[i], "conv", "the leading axes differ", x);
  const int64_t groups = window[6];
  THALWEG_EXPECT(dx[r - 4] == dy[r - 4], "conv", "x and y are batches of different sizes", y);
  THALWEG_EXPECT(dx[r - 1] == dk[r - 2] * groups, "conv", "the kernel reads another number of channels", k);
  THALWEG_EXPECT(dy[r - 1] == dk[r - 1] && dk[r - 1] % groups == 0, "conv", "the kernel makes other channels", k);
  const Shape s{dx[r - 4], dx[r - 1], dy[r - 1], groups, axis(window, 0, dx[r - 3], dy[r - 3], dk[r - 4]),
                axis(window, 1, dx[r - 2], dy[r - 2], dk[r - 3])};
  const int64_t sizes[] = {s.batch * s.h.in * s.w.in * s.ins, leading(dk, 0) / std::max<int64_t>(1, leading(dk, 4)),
                           s.places() * s.outs};
  for (int64_t i = 0, batch = leading(dx, 4); i < batch; ++i)
    compute(pool, s, x.typed_data() + i * sizes[0], k.typed_data() + i * sizes[1], y.typed_data() + i * sizes[2]);
  return ffi::Error::Success();
}

// b: [.., outs] or nothing.
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 k, F32 b, OutF32 y, Dims window, bool relu) {
  const Dims d = y->dimensions();
  const auto size = static_cast<int64_t>(b.element_count());
  THALWEG_EXPECT(size == 0 || (d.size() >= 4 && size == leading(d, 4) * d[d.size() - 1]), "conv",
                 "the bias must have a number for each channel", b);
  const float* bias = size ? b.typed_data() : nullptr;
  return run(pool, x, k, *y, window, [&](auto& p, const Shape& s, const float* x, const float* k, float* y) {
    Compute(p, s, x, k, {bias, relu}, y);
    if (bias) bias += s.outs;
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

THALWEG_HANDLER(thalweg_conv, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window").Attr<bool>("relu"));
THALWEG_HANDLER(thalweg_conv_data, RunData, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));
THALWEG_HANDLER(thalweg_conv_kernel, RunKernel, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<Dims>("window"));

}  // namespace thalweg
