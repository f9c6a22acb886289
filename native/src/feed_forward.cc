// Two dense layers with an activation between, h = f(x U + a), y = h V + b: the product that ends in GELU and keeps its
// slope, and the way back through both, dz = (dy V^T) f'(z), as one product.
#include "gelu.h"
#include "matmul.h"
#include "product.h"

namespace thalweg {
namespace {

// The bias, then GELU; its slope, where asked for, goes to a matrix of the result's shape.
template <typename Kind>
struct GeluEnding {
  const float* bias;  // or nothing
  float* slope;       // or nothing
  int64_t columns;

  void fetch(int64_t row, int64_t column, int64_t rows) const {
    for (int64_t i = row; slope && i < row + rows; ++i)
      for (int64_t j = 0; j < kPanel; j += kLine) __builtin_prefetch(slope + i * columns + column + j, 1);
  }

  template <int M, int N>
  void operator()(Tile<M, N>& t, int64_t row, int64_t column, int64_t last) const {
    float z[M * N * kLanes];  // a tile that is read by a running index would not stay in registers
    t.write(z, N * kLanes, kLanes);
    curve(z, M, N, row, column, last);
    t.read(z, N * kLanes, kLanes);
  }

  __attribute__((noinline)) void curve(float* z, int M, int N, int64_t row, int64_t column, int64_t last) const {
    for (int i = 0; i < M; ++i)
      for (int j = 0; j < N; ++j, z += kLanes) {
        const int64_t lanes = j + 1 < N ? kLanes : last, at = column + j * kLanes;
        vf x = load(z);
        if (bias) x += lanes == kLanes ? load(bias + at) : load(bias + at, lanes);
        if (!slope) {
          store(z, Kind::value(x));
          continue;
        }
        const Curve c = Kind::both(x);
        store(z, c.value);
        float* const to = slope + (row + i) * columns + at;
        if (lanes == kLanes) store(to, c.slope);
        else store(to, c.slope, lanes);
      }
  }
};

template <typename Kind>
void Activated(ffi::ThreadPool& pool, const Shape& s, F32 x, F32 w, F32 b, float* y, float* slope) {
  for (int64_t i = 0; i < s.batch; ++i) {
    const GeluEnding<Kind> ending{b.element_count() ? b.typed_data() + i * s.n : nullptr,
                                  slope ? slope + i * s.m * s.n : nullptr, s.n};
    product(pool, s.m, s.n, s.k, {x.typed_data() + i * s.m * s.k, s.k, 1}, {w.typed_data() + i * s.k * s.n, s.n, 1},
            y + i * s.m * s.n, nullptr, ending);
  }
}

// x: [.., m, k]; w: [.., k, n]; b: [.., n] or nothing; y: [.., m, n]; slope: as y, or nothing.
ffi::Error Forward(ffi::ThreadPool pool, F32 x, F32 w, F32 b, OutF32 y, OutF32 slope, bool approximate) {
  Shape s;
  if (ffi::Error error = Check(x, w, y, false, false, s); error.failure()) return error;
  if (ffi::Error error = CheckBias(b, s); error.failure()) return error;
  const size_t kept = slope->element_count();
  THALWEG_EXPECT(kept == 0 || kept == y->element_count(), "linear_gelu", "the slope must be as large as y", x);
  (approximate ? Activated<GeluTanh> : Activated<Gelu>)(pool, s, x, w, b, y->typed_data(), kept ? slope->typed_data() : nullptr);
  return ffi::Error::Success();
}

// The way back through an activation: times its slope, or of a ReLU where its result is above 0.
// dy: [.., m, k]; w: [.., n, k]; by: as dz, the slope, or the ReLU's result; dz: [.., m, n].
ffi::Error Backward(ffi::ThreadPool pool, F32 dy, F32 w, F32 by, OutF32 dz, bool relu) {
  Shape s;
  if (ffi::Error error = Check(dy, w, dz, false, true, s); error.failure()) return error;
  THALWEG_EXPECT(by.element_count() == dz->element_count(), "matmul_through", "the slope must be as large as dz", by);
  for (int64_t i = 0; i < s.batch; ++i) {
    const float* const other = by.typed_data() + i * s.m * s.n;
    const auto run = [&](const auto& join) {
      product(pool, s.m, s.n, s.k, {dy.typed_data() + i * s.m * s.k, s.k, 1}, {w.typed_data() + i * s.k * s.n, 1, s.k},
              dz->typed_data() + i * s.m * s.n, nullptr, Met{other, s.n, join});
    };
    if (relu) run([](vf dh, vf h) { return h > 0.0f ? dh : vf{}; });
    else run([](vf dh, vf slope) { return dh * slope; });
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_linear_gelu, Forward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Attr<bool>("approximate"));
THALWEG_HANDLER(thalweg_matmul_through, Backward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<bool>("relu"));

}  // namespace thalweg
