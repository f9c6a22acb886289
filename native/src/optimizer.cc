// One step of an optimizer, all parameters in one pass: each number of w, g and the slots is read once and written once.
//
//     adam       m += h1 (g - m)            v += h2 (g^2 - v)            w -= h0 m / (sqrt(v) + h3)
//     amsgrad    the same with the largest v so far under the root
//     momentum   m = h1 m - h0 g            w += m,  or by Nesterov      w += h1 m - h0 g
//     rmsprop    v = h1 v + h2 g^2          w -= h0 g / sqrt(v + h3)
//     adagrad    s += g^2                   w -= h0 g / sqrt(s + h1)     0 where s is 0
//     adadelta   s = h1 s + h2 g^2          d = sqrt(x + h3) / sqrt(s + h3) g     x = h1 x + h2 d^2     w -= h0 d
//
// The last two numbers are the decay and the scale: w -= h[-2] w, of the w before the step, and g is h[-1] times what is given.
#include <algorithm>
#include <vector>

#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "vmath.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 12;

// What w is moved by; s are the slots, h the numbers.
struct Adam {
  static constexpr int kSlots = 2, kNumbers = 4;
  static vf step(vf g, vf* s, const float* h) {
    s[0] += h[1] * (g - s[0]);
    s[1] += h[2] * (g * g - s[1]);
    return -h[0] * s[0] * reciprocal(root(s[1]) + h[3]);
  }
};

struct AmsGrad {
  static constexpr int kSlots = 3, kNumbers = 4;
  static vf step(vf g, vf* s, const float* h) {
    s[0] += h[1] * (g - s[0]);
    s[1] += h[2] * (g * g - s[1]);
    s[2] = (s[1] > s[2]) | (s[1] != s[1]) ? s[1] : s[2];  // a NaN stays
    return -h[0] * s[0] * reciprocal(root(s[2]) + h[3]);
  }
};

template <bool nesterov>
struct Momentum {
  static constexpr int kSlots = 1, kNumbers = 2;
  static vf step(vf g, vf* s, const float* h) {
    const vf down = -h[0] * g;
    s[0] = h[1] * s[0] + down;
    return nesterov ? h[1] * s[0] + down : s[0];
  }
};

struct RmsProp {
  static constexpr int kSlots = 1, kNumbers = 4;
  static vf step(vf g, vf* s, const float* h) {
    s[0] = h[1] * s[0] + h[2] * (g * g);
    return -h[0] * (g * inverse_root(s[0] + h[3]));
  }
};

struct AdaGrad {
  static constexpr int kSlots = 1, kNumbers = 2;
  static vf step(vf g, vf* s, const float* h) {
    s[0] += g * g;
    const vf u = -h[0] * (g * inverse_root(s[0] + h[1]));
    return s[0] <= 0.0f ? vf{} : u;
  }
};

struct AdaDelta {
  static constexpr int kSlots = 2, kNumbers = 4;
  static vf step(vf g, vf* s, const float* h) {
    s[0] = h[1] * s[0] + h[2] * (g * g);
    const vf d = root(s[1] + h[3]) * inverse_root(s[0] + h[3]) * g;
    s[1] = h[1] * s[1] + h[2] * (d * d);
    return -h[0] * d;
  }
};

// A parameter: where w, g and the slots are read, and where w and the slots are written.
template <int kSlots>
struct Leaf {
  const float* in[kSlots + 2];
  float* out[kSlots + 1];
  int64_t size, first_block;
};

// The numbers of a float32 buffer of `size`, or of any if that is -1; null for another one.
template <typename Found>
float* Data(const Found& found, int64_t size) {
  if (!found.has_value()) return nullptr;
  const ffi::AnyBuffer& buffer = *found;
  if (buffer.element_type() != ffi::F32 || (size >= 0 && static_cast<int64_t>(buffer.element_count()) != size)) return nullptr;
  return static_cast<float*>(buffer.untyped_data());
}

// The parameters of a call, each of `models` parts; none where the arrays do not fit.
template <int kSlots>
std::vector<Leaf<kSlots>> Leaves(const ffi::RemainingArgs& arguments, const ffi::RemainingRets& results, int64_t models) {
  constexpr int kIn = kSlots + 2, kOut = kSlots + 1;
  std::vector<Leaf<kSlots>> leaves(arguments.size() / kIn);
  int64_t blocks = 0;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const auto w = arguments.get<ffi::AnyBuffer>(i * kIn);
    const int64_t size = w.has_value() ? static_cast<int64_t>((*w).element_count()) : 0;
    bool fits = size % models == 0;
    for (int k = 0; k < kIn; ++k) fits &= (leaves[i].in[k] = Data(arguments.get<ffi::AnyBuffer>(i * kIn + k), size)) || !size;
    for (int k = 0; k < kOut; ++k) {
      auto result = results.get<ffi::AnyBuffer>(i * kOut + k);
      fits &= result.has_value() && ((leaves[i].out[k] = Data(ffi::ErrorOr<ffi::AnyBuffer>(**result), size)) || !size);
    }
    if (!fits) return {};
    leaves[i].size = size / models, leaves[i].first_block = blocks;
    blocks += (leaves[i].size + kBlock - 1) / kBlock;
  }
  return leaves;
}

template <typename Rule>
void Move(const Leaf<Rule::kSlots>& p, int64_t from, int64_t n, const float* h) {
  const float decay = h[Rule::kNumbers], scale = h[Rule::kNumbers + 1];
  along(n, [&](int64_t i, auto at) {
    const int64_t j = from + i;
    vf s[Rule::kSlots];
    for (int k = 0; k < Rule::kSlots; ++k) s[k] = at.load(p.in[2 + k] + j);
    const vf w = at.load(p.in[0] + j), u = Rule::step(scale * at.load(p.in[1] + j), s, h);
    at.store(p.out[0] + j, w + (u - decay * w));
    for (int k = 0; k < Rule::kSlots; ++k) at.store(p.out[1 + k] + j, s[k]);
  });
}

// numbers: [.., kNumbers + 2]; then for each parameter w, g and its slots, as large as w; results: w and the slots.
// Leading axes of `numbers` are models: each parameter then has as many parts.
template <typename Rule>
ffi::Error Run(ffi::ThreadPool pool, F32 numbers, ffi::RemainingArgs arguments, ffi::RemainingRets results) {
  constexpr size_t kIn = Rule::kSlots + 2, kOut = Rule::kSlots + 1;
  constexpr int64_t kGiven = Rule::kNumbers + 2;
  const auto models = static_cast<int64_t>(numbers.element_count()) / kGiven;
  THALWEG_EXPECT(models >= 1 && static_cast<int64_t>(numbers.element_count()) == models * kGiven, "optimizer",
                 "the rule has another count of numbers", numbers);
  THALWEG_EXPECT(arguments.size() % kIn == 0 && results.size() == arguments.size() / kIn * kOut, "optimizer",
                 "each parameter comes with its gradient and its slots", numbers);
  const auto leaves = Leaves<Rule::kSlots>(arguments, results, models);
  THALWEG_EXPECT(leaves.size() == arguments.size() / kIn, "optimizer",
                 "gradient, slots and results must be float32 and as large as the parameter", numbers);
  if (leaves.empty()) return ffi::Error::Success();
  const int64_t blocks = leaves.back().first_block + (leaves.back().size + kBlock - 1) / kBlock;
  parallel_for(pool, models * blocks, 16 * models * blocks * kBlock, [&](int64_t task) {
    const int64_t model = task / blocks, block = task % blocks;
    const auto after = std::upper_bound(leaves.begin(), leaves.end(), block,
                                        [](int64_t b, const auto& leaf) { return b < leaf.first_block; });
    const auto& leaf = *(after - 1);
    const int64_t first = (block - leaf.first_block) * kBlock;
    Move<Rule>(leaf, model * leaf.size + first, std::min(kBlock, leaf.size - first), numbers.typed_data() + model * kGiven);
  });
  return ffi::Error::Success();
}

}  // namespace

#define THALWEG_RULE(name, rule)  \
  THALWEG_HANDLER(name, Run<rule>, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().RemainingArgs().RemainingRets())

THALWEG_RULE(thalweg_adam, Adam);
THALWEG_RULE(thalweg_amsgrad, AmsGrad);
THALWEG_RULE(thalweg_momentum, Momentum<false>);
THALWEG_RULE(thalweg_nesterov, Momentum<true>);
THALWEG_RULE(thalweg_rmsprop, RmsProp);
THALWEG_RULE(thalweg_adagrad, AdaGrad);
THALWEG_RULE(thalweg_adadelta, AdaDelta);

}  // namespace thalweg
