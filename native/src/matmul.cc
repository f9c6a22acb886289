// Matrix products: y = x W + b, and the two products of its gradient.
#include "ending.h"
#include "handler.h"
#include "product.h"
#include "product_bf16.h"

namespace thalweg {
namespace {

struct Shape {
  int64_t batch = 1, m = 0, n = 0, k = 0;
};

// x: [.., m, k] or, transposed, [.., k, m]; W likewise. The leading axes are a batch of products.
template <typename Buffer, typename Out>
ffi::Error Check(Buffer& x, Buffer& w, Out& y, bool x_transposed, bool w_transposed, Shape& s) {
  const auto dx = x.dimensions(), dw = w.dimensions(), dy = y->dimensions();
  const size_t rank = dy.size();
  THALWEG_EXPECT(rank >= 2 && dx.size() == rank, "matmul", "x must have as many axes as the result, two at least", x);
  THALWEG_EXPECT(dw.size() == rank, "matmul", "the kernel must have as many axes as the result", w);
  for (size_t i = 0; i + 2 < rank; ++i) {
    THALWEG_EXPECT(dx[i] == dy[i] && dw[i] == dy[i], "matmul", "the leading axes differ", x);
    s.batch *= dy[i];
  }
  s.m = dy[rank - 2], s.n = dy[rank - 1], s.k = x_transposed ? dx[rank - 2] : dx[rank - 1];
  THALWEG_EXPECT((x_transposed ? dx[rank - 1] : dx[rank - 2]) == s.m, "matmul", "x has another number of rows", x);
  THALWEG_EXPECT((w_transposed ? dw[rank - 1] : dw[rank - 2]) == s.k, "matmul", "the inner axes differ", w);
  THALWEG_EXPECT((w_transposed ? dw[rank - 2] : dw[rank - 1]) == s.n, "matmul", "the kernel has other columns", w);
  return ffi::Error::Success();
}

// b: [.., n] or nothing.
template <typename Buffer>
ffi::Error CheckBias(Buffer& b, const Shape& s) {
  const auto size = static_cast<int64_t>(b.element_count());
  THALWEG_EXPECT(size == 0 || size == s.batch * s.n, "matmul", "the bias must have a number for each column", b);
  return ffi::Error::Success();
}

ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 w, F32 b, OutF32 y, bool x_transposed, bool w_transposed, bool relu) {
  Shape s;
  if (ffi::Error error = Check(x, w, y, x_transposed, w_transposed, s); error.failure()) return error;
  if (ffi::Error error = CheckBias(b, s); error.failure()) return error;
  for (int64_t i = 0; i < s.batch; ++i) {
    const float* const px = x.typed_data() + i * s.m * s.k;
    const float* const pw = w.typed_data() + i * s.k * s.n;
    const Matrix a = x_transposed ? Matrix{px, 1, s.m} : Matrix{px, s.k, 1};
    const Matrix c = w_transposed ? Matrix{pw, 1, s.k} : Matrix{pw, s.n, 1};
    float* const out = y->typed_data() + i * s.m * s.n;
    const float* const bias = b.element_count() ? b.typed_data() + i * s.n : nullptr;
    if (bias || relu) product(pool, s.m, s.n, s.k, a, c, out, nullptr, Ending{bias, relu});
    else product(pool, s.m, s.n, s.k, a, c, out);
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
            dw->typed_data() + i * s.m * s.n, db->typed_data() + i * s.n);
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
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>()
    .Attr<bool>("x_transposed").Attr<bool>("w_transposed").Attr<bool>("relu"));
THALWEG_HANDLER(thalweg_linear_gradient, RunGradient, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_matmul_bf16, RunHalf, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<BF16>().Arg<BF16>().Arg<BF16>().Ret<BF16>()
    .Attr<bool>("x_transposed").Attr<bool>("w_transposed").Attr<bool>("relu"));

}  // namespace thalweg
