// y = gelu(x), and dx = dy gelu'(x).
#include "gelu.h"

#include "handler.h"
#include "lanes.h"
#include "parallel.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 12;

#define THALWEG_EXPECT_COUNT(buffer, count) \
  THALWEG_EXPECT((buffer).element_count() == (count), "gelu", "the sizes differ", buffer)

template <typename Kind>
void Compute(ffi::ThreadPool& pool, int64_t n, const float* x, float* y) {
  parallel_blocks(pool, n, kBlock, 16 * n, [&](int64_t i, int64_t end) {
    along(end - i, [&](int64_t j, auto at) { at.store(y + i + j, Kind::value(at.load(x + i + j))); });
  });
}

template <typename Kind>
void ComputeBackward(ffi::ThreadPool& pool, int64_t n, const float* x, const float* dy, float* dx) {
  parallel_blocks(pool, n, kBlock, 24 * n, [&](int64_t i, int64_t end) {
    along(end - i, [&](int64_t j, auto at) { at.store(dx + i + j, at.load(dy + i + j) * Kind::both(at.load(x + i + j)).slope); });
  });
}

ffi::Error Run(ffi::ThreadPool pool, F32 x, OutF32 y, bool approximate) {
  THALWEG_EXPECT_COUNT(*y, x.element_count());
  (approximate ? Compute<GeluTanh> : Compute<Gelu>)(pool, x.element_count(), x.typed_data(), y->typed_data());
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 x, F32 dy, OutF32 dx, bool approximate) {
  THALWEG_EXPECT_COUNT(dy, x.element_count());
  THALWEG_EXPECT_COUNT(*dx, x.element_count());
  (approximate ? ComputeBackward<GeluTanh> : ComputeBackward<Gelu>)(pool, x.element_count(), x.typed_data(), dy.typed_data(), dx->typed_data());
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_gelu, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>().Attr<bool>("approximate"));
THALWEG_HANDLER(thalweg_gelu_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Attr<bool>("approximate"));

}  // namespace thalweg
