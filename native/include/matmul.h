// What the functions on matrices share: the sizes of a product of two of them.
#pragma once

#include "handler.h"

namespace thalweg {

struct Shape {
  int64_t batch = 1, m = 0, n = 0, k = 0;
};

// x: [.., m, k] or, transposed, [.., k, m]; W likewise. The leading axes are a batch of products.
template <typename Buffer, typename Out>
inline ffi::Error Check(Buffer& x, Buffer& w, Out& y, bool x_transposed, bool w_transposed, Shape& s) {
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
inline ffi::Error CheckBias(Buffer& b, const Shape& s) {
  const auto size = static_cast<int64_t>(b.element_count());
  THALWEG_EXPECT(size == 0 || size == s.batch * s.n, "matmul", "the bias must have a number for each column", b);
  return ffi::Error::Success();
}

}  // namespace thalweg
