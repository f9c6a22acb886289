// Dropout: y = x m / (1 - rate). The mask is never stored: the backward pass draws the same words again.
#include "handler.h"
#include "parallel.h"
#include "threefry.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 13;

void Drop(const float* x, float* y, int64_t first, int64_t last, const uint32_t* key, float rate) {
  const float scale = 1.0f / (1.0f - rate);
  const uint32_t k0 = key[0], k1 = key[1];  // read once: y might lie over them
  for (int64_t i = first; i < last; i += kLanes) {
    // the upper 24 bits of a word, exact in float32
    const vf u = __builtin_convertvector((vi)(random_words(k0, k1, i) >> 8), vf) * 0x1p-24f;
    const vf m = u >= rate ? splat(scale) : vf{};
    if (last - i >= kLanes) store(y + i, load(x + i) * m);
    else store(y + i, load(x + i, last - i) * m, last - i);
  }
}

// x: [.., numbers]; key: [.., 2]; rate: [..]: one mask for each rate, of as many numbers as x has for it.
ffi::Error Run(ffi::ThreadPool pool, F32 x, U32 key, F32 rate, OutF32 y) {
  const auto models = static_cast<int64_t>(rate.element_count()), size = static_cast<int64_t>(x.element_count());
  THALWEG_EXPECT(x.dimensions() == y->dimensions(), "dropout", "x must be as large as the result", x);
  THALWEG_EXPECT(models > 0 && size % models == 0, "dropout", "there must be a rate for each mask", rate);
  THALWEG_EXPECT(static_cast<int64_t>(key.element_count()) == 2 * models, "dropout", "a key has two words", key);
  const int64_t numbers = size / models, blocks = (numbers + kBlock - 1) / kBlock;
  parallel_for(pool, models * blocks, 16 * size, [&](int64_t i) {
    const int64_t model = i / blocks, first = i % blocks * kBlock;
    Drop(x.typed_data() + model * numbers, y->typed_data() + model * numbers, first,
         std::min(numbers, first + kBlock), key.typed_data() + 2 * model, rate.typed_data()[model]);
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_dropout, Run,
                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().Arg<U32>().Arg<F32>().Ret<F32>());

}  // namespace thalweg
