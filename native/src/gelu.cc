// gelu(x) = x Phi(x), by erf or by its tanh approximation, and dx = dy gelu'(x).
#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "vmath.h"

namespace thalweg {
namespace {

constexpr float kRoot = 0.7978845608028654f, kCubic = 0.044715f;  // sqrt(2 / pi)
constexpr int64_t kBlock = 1 << 12;

// Phi(x) = (1 + erf(x / sqrt 2)) / 2, gelu'(x) = Phi(x) + x phi(x), phi the normal density.
struct Erf {
  static vf value(vf x) { return 0.5f * x * (1.0f + erf(x * 0.7071067811865476f)); }
  static vf slope(vf x) {
    return 0.5f * (1.0f + erf(x * 0.7071067811865476f)) + x * 0.3989422804014327f * exp(x * x * -0.5f);
  }
};

// Phi(x) ~ (1 + t) / 2 = s(2 u), t = tanh(u), u = sqrt(2 / pi) (x + 0.044715 x^3); gelu' = s + 2 x s (1 - s) u'.
struct Tanh {
  static vf phi(vf x) { return sigmoid(x * (2 * kRoot + 2 * kRoot * kCubic * (x * x))); }
  static vf value(vf x) { return x * phi(x); }
  static vf slope(vf x) {
    const vf s = phi(x);
    return s + x * (s * (1.0f - s)) * (2 * kRoot + 6 * kRoot * kCubic * (x * x));
  }
};

#define THALWEG_EXPECT_COUNT(buffer, count) \
  THALWEG_EXPECT((buffer).element_count() == (count), "gelu", "the sizes differ", buffer)

template <typename Kind>
void Value(ffi::ThreadPool& pool, int64_t n, const float* x, float* y) {
  parallel_blocks(pool, n, kBlock, 16 * n, [&](int64_t i, int64_t end) {
    along(end - i, [&](int64_t j, auto at) { at.store(y + i + j, Kind::value(at.load(x + i + j))); });
  });
}

template <typename Kind>
void Slope(ffi::ThreadPool& pool, int64_t n, const float* x, const float* dy, float* dx) {
  parallel_blocks(pool, n, kBlock, 24 * n, [&](int64_t i, int64_t end) {
    along(end - i, [&](int64_t j, auto at) { at.store(dx + i + j, at.load(dy + i + j) * Kind::slope(at.load(x + i + j))); });
  });
}

ffi::Error Forward(ffi::ThreadPool pool, F32 x, OutF32 y, bool approximate) {
  THALWEG_EXPECT_COUNT(*y, x.element_count());
  (approximate ? Value<Tanh> : Value<Erf>)(pool, x.element_count(), x.typed_data(), y->typed_data());
  return ffi::Error::Success();
}

ffi::Error Backward(ffi::ThreadPool pool, F32 x, F32 dy, OutF32 dx, bool approximate) {
  THALWEG_EXPECT_COUNT(dy, x.element_count());
  THALWEG_EXPECT_COUNT(*dx, x.element_count());
  (approximate ? Slope<Tanh> : Slope<Erf>)(pool, x.element_count(), x.typed_data(), dy.typed_data(), dx->typed_data());
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_gelu, Forward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>().Attr<bool>("approximate"));
THALWEG_HANDLER(thalweg_gelu_backward, Backward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<bool>("approximate"));

}  // namespace thalweg
