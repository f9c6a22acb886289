// The softmax of each row and its gradient, and the place of a row's largest number.
//
//     p_k = exp(z_k - m) / sum_j exp(z_j - m),  m = max z      dz_k = p_k (dp_k - sum_j p_j dp_j)
#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "vmath.h"

namespace thalweg {
namespace {

constexpr int64_t kWorkOfExp = 16;

// rows(first, last) for blocks of some 16 thousand numbers
template <typename Rows>
void OverRows(ffi::ThreadPool& pool, int64_t rows, int64_t classes, int64_t work, const Rows& body) {
  const int64_t block = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, classes));
  parallel_blocks(pool, rows, block, work * rows * classes, body);
}

int64_t Classes(Dims z) { return z.size() ? z[z.size() - 1] : 0; }

// z, p: [.., classes]
ffi::Error Run(ffi::ThreadPool pool, F32 z, OutF32 p) {
  const int64_t n = Classes(z.dimensions()), size = static_cast<int64_t>(z.element_count());
  THALWEG_EXPECT(z.dimensions().size() >= 1, "softmax", "there must be an axis", z);
  THALWEG_EXPECT(static_cast<int64_t>(p->element_count()) == size, "softmax", "the result must be as large as z", z);
  OverRows(pool, n ? size / n : 0, n, kWorkOfExp, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const row = z.typed_data() + i * n;
      float* const out = p->typed_data() + i * n;
      const float m = largest(n, [&](int64_t j, auto at) { return at.load(row + j); });
      const float sum = total(n, [&](int64_t j, auto at) {
        const vf e = exp(at.load(row + j) - m);
        at.store(out + j, e);
        return e;
      });
      along(n, [&](int64_t j, auto at) { at.store(out + j, at.load(out + j) / sum); });
    }
  });
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 p, F32 dp, OutF32 dz) {
  const int64_t n = Classes(p.dimensions()), size = static_cast<int64_t>(p.element_count());
  THALWEG_EXPECT(p.dimensions().size() >= 1, "softmax", "there must be an axis", p);
  THALWEG_EXPECT(static_cast<int64_t>(dp.element_count()) == size, "softmax", "dp must be as large as p", dp);
  THALWEG_EXPECT(static_cast<int64_t>(dz->element_count()) == size, "softmax", "dz must be as large as p", p);
  OverRows(pool, n ? size / n : 0, n, 4, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const y = p.typed_data() + i * n;
      const float* const dy = dp.typed_data() + i * n;
      float* const out = dz->typed_data() + i * n;
      const float mean = total(n, [&](int64_t j, auto at) { return at.load(y + j) * at.load(dy + j); });
      along(n, [&](int64_t j, auto at) { at.store(out + j, at.load(y + j) * (at.load(dy + j) - mean)); });
    }
  });
  return ffi::Error::Success();
}

// A NaN counts as the largest, and of equals the first.
int32_t PlaceOfLargest(const float* row, int64_t n) {
  const auto join = [](vf a, vf b) { return ((a > b) | (a != a)) ? a : b; };
  const float m = across(folded(n, -__builtin_inff(), join, [&](int64_t j, auto at) { return at.load(row + j); }), join);
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {  // a vector at a time, up to the one that has it
    const vf z = load(row + j);
    if (any((z == m) | (z != z))) break;
  }
  while (j + 1 < n && !(row[j] == m || row[j] != row[j])) ++j;
  return static_cast<int32_t>(j);
}

// z: [.., classes]; k: [..]
ffi::Error RunArgmax(ffi::ThreadPool pool, F32 z, OutS32 k) {
  const int64_t n = Classes(z.dimensions()), rows = static_cast<int64_t>(k->element_count());
  THALWEG_EXPECT(n >= 1, "argmax", "there must be a class at least", z);
  THALWEG_EXPECT(static_cast<int64_t>(z.element_count()) == rows * n, "argmax", "there must be a place for each row", z);
  OverRows(pool, rows, n, 2, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) k->typed_data()[i] = PlaceOfLargest(z.typed_data() + i * n, n);
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_softmax, Run, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_softmax_backward, RunBackward, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_argmax, RunArgmax, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<F32>().Ret<S32>());

}  // namespace thalweg
