// Matrix products: y = x W + b, and the two products of its gradient.
#include "handler.h"
#include "product.h"

namespace thalweg {
namespace {

struct AddBias {
  const float* bias;

  template <int M, int N>
  void operator()(Tile<M, N>& t, int64_t, int64_t column, int64_t last) const {
    for (int j = 0; j < N; ++j) {
      const float* at = bias + column + j * kLanes;
      const vf b = j + 1 < N ? load(at) : load(at, last);
      for (int i = 0; i < M; ++i) t.sum[i][j] += b;
    }
  }
};

// x: [.., m, k] or, transposed, [.., k, m]; W likewise; b: [.., n] or nothing. The leading axes are a batch of products.
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 w, F32 b, OutF32 y, bool x_transposed, bool w_transposed) {
  const auto dx = x.dimensions(), dw = w.dimensions(), dy = y->dimensions();
  const size_t rank = dy.size();
  THALWEG_EXPECT(rank >= 2 && dx.size() == rank, "matmul", "x must have as many axes as the result, two at least", x);
  THALWEG_EXPECT(dw.size() == rank, "matmul", "the kernel must have as many axes as the result", w);
  int64_t batch = 1;
  for (size_t i = 0; i + 2 < rank; ++i) {
    THALWEG_EXPECT(dx[i] == dy[i] && dw[i] == dy[i], "matmul", "the leading axes differ", x);
    batch *= dy[i];
  }
  const int64_t m = dy[rank - 2], n = dy[rank - 1], k = x_transposed ? dx[rank - 2] : dx[rank - 1];
  THALWEG_EXPECT((x_transposed ? dx[rank - 1] : dx[rank - 2]) == m, "matmul", "x has another number of rows", x);
  THALWEG_EXPECT((w_transposed ? dw[rank - 1] : dw[rank - 2]) == k, "matmul", "the inner axes differ", w);
  THALWEG_EXPECT((w_transposed ? dw[rank - 2] : dw[rank - 1]) == n, "matmul", "the kernel has other columns", w);
  const auto bias = static_cast<int64_t>(b.element_count());
  THALWEG_EXPECT(bias == 0 || bias == batch * n, "matmul", "the bias must have a number for each column", b);
  for (int64_t i = 0; i < batch; ++i) {
    const float* const px = x.typed_data() + i * m * k;
    const float* const pw = w.typed_data() + i * k * n;
    const Matrix a = x_transposed ? Matrix{px, 1, m} : Matrix{px, k, 1};
    const Matrix c = w_transposed ? Matrix{pw, 1, k} : Matrix{pw, n, 1};
    float* const out = y->typed_data() + i * m * n;
    if (bias) product(pool, m, n, k, a, c, out, false, AddBias{b.typed_data() + i * n});
    else product(pool, m, n, k, a, c, out);
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_matmul, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>()
    .Attr<bool>("x_transposed").Attr<bool>("w_transposed"));

}  // namespace thalweg
