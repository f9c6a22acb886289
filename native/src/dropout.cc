// Dropout: y = x m / (1 - rate). The mask is never stored: the backward pass draws the same words again.
#include <cmath>

#include "handler.h"
#include "parallel.h"
#include "threefry.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 13;
constexpr int64_t kAhead = 128;  // numbers: the words of one line take so long that few lines are under way by themselves

struct Drop {
  const float* x;
  float* y;
  int64_t last;
  uint32_t least;  // of a word that keeps its number: u = floor(word / 2^8) / 2^24 >= rate
  float scale;

  Drop(const float* x, float* y, int64_t last, float rate)
      : x(x), y(y), last(last), least(rate > 0.0f && rate < 1.0f ? static_cast<uint32_t>(std::ceil(rate * 0x1p24f)) << 8 : 0),
        scale(rate < 1.0f ? 1.0f / (1.0f - rate) : 0.0f) {}

  // y at i, .. for as many random words, up to `last`
  void operator()(int64_t i, vu words) const {
    const vf m = words >= least ? splat(scale) : vf{};
    if (last - i >= kLanes) store(y + i, load(x + i) * m);
    else if (last > i) store(y + i, load(x + i, last - i) * m, last - i);
  }
};

// `first` is a multiple of 2 kHalf
void Range(const Drop& drop, int64_t first, const uint32_t* key) {
  const uint32_t k0 = key[0], k1 = key[1];  // read once: y might lie over them
  for (int64_t i = first; i < drop.last; i += 2 * kHalf) {
    for (int64_t half = 0; half < 2; ++half) __builtin_prefetch(drop.y + i + kAhead + half * kHalf, 1);
    for (int64_t j = i; j < i + kHalf; j += kLanes) {
      const Words words = random_words(k0, k1, i / 2 + j - i);
      drop(j, words.first), drop(j + kHalf, words.second);
    }
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
    const Drop drop(x.typed_data() + model * numbers, y->typed_data() + model * numbers,
                    std::min(numbers, first + kBlock), rate.typed_data()[model]);
    Range(drop, first, key.typed_data() + 2 * model);
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_dropout, Run,
                ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().Arg<U32>().Arg<F32>().Ret<F32>());

}  // namespace thalweg
