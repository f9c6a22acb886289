// Two dense layers with an activation between, h = f(x U + a), y = h V + b: the product that ends in GELU and keeps its
// slope, and the way back through both, dz = (dy V^T) f'(z), as one product.
#include "gelu.h"
#include "matmul.h"
#include "product.h"

namespace thalweg {
namespace {

// As an ending has it.
template <typename Kind>
void Curved(float* z, int64_t rows, int64_t vectors, float* slope, int64_t columns, int64_t last) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < vectors; ++j, z += kLanes) {
      if (!slope) {
        store(z, Kind::value(load(z)));
        continue;
      }
      const Curve c = Kind::both(load(z));
      store(z, c.value);
      float* const to = slope + i * columns + j * kLanes;
      if (j + 1 < vectors || last == kLanes) store(to, c.slope);
      else store(to, c.slope, last);
    }
}

// x: [.., m, k]; w: [.., k, n]; b: [.., n] or nothing; y: [.., m, n]; slope: as y, or nothing.
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 w, F32 b, OutF32 y, OutF32 slope, bool approximate) {
  Shape s;
  if (ffi::Error error = Check(x, w, y, false, false, s); error.failure()) return error;
  if (ffi::Error error = CheckBias(b, s); error.failure()) return error;
  const size_t kept = slope->element_count();
  THALWEG_EXPECT(kept == 0 || kept == y->element_count(), "linear_gelu", "the slope must be as large as y", x);
  for (int64_t i = 0; i < s.batch; ++i) {
    Ending ending{b.element_count() ? b.typed_data() + i * s.n : nullptr};
    ending.curve = approximate ? Curved<GeluTanh> : Curved<Gelu>;
    if (kept) ending.slope = slope->typed_data() + i * s.m * s.n, ending.columns = s.n;
    product(pool, s.m, s.n, s.k, {x.typed_data() + i * s.m * s.k, s.k, 1}, {w.typed_data() + i * s.k * s.n, s.n, 1},
            y->typed_data() + i * s.m * s.n, ending);
  }
  return ffi::Error::Success();
}

// The way back through an activation: times its slope, or of a ReLU where its result is above 0.
// dy: [.., m, k]; w: [.., n, k]; by: as dz, the slope, or the ReLU's result; dz: [.., m, n].
ffi::Error RunBackward(ffi::ThreadPool pool, F32 dy, F32 w, F32 by, OutF32 dz, bool relu) {
  Shape s;
  if (ffi::Error error = Check(dy, w, dz, false, true, s); error.failure()) return error;
  THALWEG_EXPECT(by.element_count() == dz->element_count(), "matmul_through", "the slope must be as large as dz", by);
  for (int64_t i = 0; i < s.batch; ++i) {
    Ending ending;
    ending.other = by.typed_data() + i * s.m * s.n, ending.columns = s.n, ending.join = relu ? Join::kMask : Join::kScale;
    product(pool, s.m, s.n, s.k, {dy.typed_data() + i * s.m * s.k, s.k, 1}, {w.typed_data() + i * s.k * s.n, 1, s.k},
            dz->typed_data() + i * s.m * s.n, ending);
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_linear_gelu, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Attr<bool>("approximate"));
THALWEG_HANDLER(thalweg_matmul_through, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<bool>("relu"));

}  // namespace thalweg
