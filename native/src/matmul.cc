// Matrix products: y = x W + b, and the two products of its gradient.
#include "matmul.h"
#include "product.h"
#include "product_bf16.h"

namespace thalweg {
namespace {

// shortcut: as y, or nothing.
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 w, F32 b, F32 shortcut, OutF32 y, bool x_transposed, bool w_transposed,
               bool relu) {
  Shape s;
  if (ffi::Error error = Check(x, w, y, x_transposed, w_transposed, s); error.failure()) return error;
  if (ffi::Error error = CheckBias(b, s); error.failure()) return error;
  const bool added = shortcut.element_count() > 0;
  THALWEG_EXPECT(!added || shortcut.element_count() == y->element_count(), "matmul", "the shortcut must be as large as y",
                 shortcut);
  for (int64_t i = 0; i < s.batch; ++i) {
    const float* const px = x.typed_data() + i * s.m * s.k;
    const float* const pw = w.typed_data() + i * s.k * s.n;
    const Matrix a = x_transposed ? Matrix{px, 1, s.m} : Matrix{px, s.k, 1};
    const Matrix c = w_transposed ? Matrix{pw, 1, s.k} : Matrix{pw, s.n, 1};
    float* const out = y->typed_data() + i * s.m * s.n;
    Ending ending{b.element_count() ? b.typed_data() + i * s.n : nullptr, relu};
    if (added) ending.other = shortcut.typed_data() + i * s.m * s.n, ending.columns = s.n;
    product(pool, s.m, s.n, s.k, a, c, out, ending);
  }
  return ffi::Error::Success();
}

// dW = x^T dy and db = the sums of dy's columns, in one pass: x [.., rows, m], dy [.., rows, n].
ffi::Error RunGradient(ffi::ThreadPool pool, F32 x, F32 dy, OutF32 dw, OutF32 db) {
  Shape s;
  if (ffi::Error error = Check(x, dy, dw, true, false, s); error.failure()) return error;
  THALWEG_EXPECT(static_cast<int64_t>(db->element_count()) == s.batch * s.n, "linear_gradient",
                 "db must have a number for each column", dy);
  for (int64_t i = 0; i < s.batch; ++i)
    product(pool, s.m, s.n, s.k, {x.typed_data() + i * s.m * s.k, 1, s.m}, {dy.typed_data() + i * s.k * s.n, s.n, 1},
            dw->typed_data() + i * s.m * s.n, {}, db->typed_data() + i * s.n);
  return ffi::Error::Success();
}

ffi::Error RunHalf(ffi::ThreadPool pool, BF16 x, BF16 w, BF16 b, OutBF16 y, bool x_transposed, bool w_transposed, bool relu) {
  Shape s;
  if (ffi::Error error = Check(x, w, y, x_transposed, w_transposed, s); error.failure()) return error;
  if (ffi::Error error = CheckBias(b, s); error.failure()) return error;
  for (int64_t i = 0; i < s.batch; ++i) {
    const uint16_t* const px = x.typed_data() + i * s.m * s.k;
    const uint16_t* const pw = w.typed_data() + i * s.k * s.n;
    const HalfMatrix a = x_transposed ? HalfMatrix{px, 1, s.m} : HalfMatrix{px, s.k, 1};
    const HalfMatrix c = w_transposed ? HalfMatrix{pw, 1, s.k} : HalfMatrix{pw, s.n, 1};
    const uint16_t* const bias = b.element_count() ? b.typed_data() + i * s.n : nullptr;
    uint16_t* const out = y->typed_data() + i * s.m * s.n;
    product_bf16(pool, s.m, s.n, s.k, a, c, [&](int64_t row, float* sums) {
      for (int64_t j = 0; bias && j < s.n; ++j) sums[j] += widened(vh{} + bias[j])[0];
      for (int64_t j = 0; relu && j < s.n; ++j) sums[j] = sums[j] < 0.0f ? 0.0f : sums[j];
      narrow(sums, out + row * s.n, s.n);
    });
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_matmul, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>()
    .Attr<bool>("x_transposed").Attr<bool>("w_transposed").Attr<bool>("relu"));
THALWEG_HANDLER(thalweg_linear_gradient, RunGradient, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_matmul_bf16, RunHalf, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<BF16>().Arg<BF16>().Arg<BF16>().Ret<BF16>()
    .Attr<bool>("x_transposed").Attr<bool>("w_transposed").Attr<bool>("relu"));

}  // namespace thalweg
