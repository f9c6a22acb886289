// Adam's update of one parameter in one pass:
//     m += (1 - b1) (g - m);  v += (1 - b2) (g^2 - v);  u = -alpha m / (sqrt(v) + epsilon)
#include "handler.h"
#include "parallel.h"
#include "simd.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 12;

struct Numbers {
  float alpha, b1, b2, epsilon;
};

struct Moments {
  vf u, m, v;
};

inline Moments Step(vf g, vf m, vf v, const Numbers& n) {
  m = m + (1.0f - n.b1) * (g - m);
  v = v + (1.0f - n.b2) * (g * g - v);
  return {-n.alpha * m / (sqrt(v) + n.epsilon), m, v};
}

// g, m, v: [.., numbers]; numbers: [.., 4], alpha, b1, b2 and epsilon of each model.
ffi::Error Run(ffi::ThreadPool pool, F32 g, F32 m, F32 v, F32 numbers, OutF32 u, OutF32 new_m, OutF32 new_v) {
  const Dims shape = g.dimensions();
  for (const F32& part : {m, v}) THALWEG_EXPECT(part.dimensions() == shape, "adam", "m and v must be like g", part);
  for (OutF32 part : {u, new_m, new_v})
    THALWEG_EXPECT(part->dimensions() == shape, "adam", "the results must be like g", *part);
  const auto size = static_cast<int64_t>(g.element_count());
  const auto models = static_cast<int64_t>(numbers.element_count()) / 4;
  THALWEG_EXPECT(models > 0 && numbers.element_count() % 4 == 0 && size % models == 0, "adam",
                 "there must be four numbers for each model", numbers);
  const int64_t each = size / models, blocks = (each + kBlock - 1) / kBlock;
  parallel_for(pool, models * blocks, 24 * size, [&](int64_t b) {
    const float* const four = numbers.typed_data() + b / blocks * 4;
    const Numbers n{four[0], four[1], four[2], four[3]};
    const int64_t first = b / blocks * each + b % blocks * kBlock;
    const int64_t last = std::min(b / blocks * each + each, first + kBlock);
    for (int64_t i = first; i < last; i += kLanes) {
      const int64_t rest = last - i;
      if (rest >= kLanes) {
        const Moments s = Step(load(g.typed_data() + i), load(m.typed_data() + i), load(v.typed_data() + i), n);
        store(u->typed_data() + i, s.u);
        store(new_m->typed_data() + i, s.m);
        store(new_v->typed_data() + i, s.v);
      } else {
        const Moments s =
            Step(load(g.typed_data() + i, rest), load(m.typed_data() + i, rest), load(v.typed_data() + i, rest), n);
        store(u->typed_data() + i, s.u, rest);
        store(new_m->typed_data() + i, s.m, rest);
        store(new_v->typed_data() + i, s.v, rest);
      }
    }
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_adam, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Ret<F32>());

}  // namespace thalweg
