// What a cross-entropy needs of each row of logits z, in one pass; and its gradient, in one more.
//
//     log Z = log sum_k exp(z_k - m),    z_y - m or sum_k y_k (z_k - m),    mean(z) - m or sum_k y_k,    m = max(z)
//
// With a, b, c what reaches the three: dz_k = a exp(z_k - m - log Z) + b [k = y] + c / classes, or a exp(..) + b y_k.
#include <cmath>

#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "vmath.h"

namespace thalweg {
namespace {

constexpr int64_t kWorkOfExp = 16;

// 0 where there is none.
float Largest(const float* z, int64_t n) {
  const float m = largest(n, [&](int64_t j, auto at) { return at.load(z + j); });
  return std::isfinite(m) ? m : 0.0f;
}

float LogSumExp(const float* z, int64_t n, float m) {
  return std::log(total(n, [&](int64_t j, auto at) { return exp(at.load(z + j) - m); }));
}

#define THALWEG_EXPECT_COUNT(buffer, count, what) \
  THALWEG_EXPECT(static_cast<int64_t>((buffer).element_count()) == (count), "cross_entropy", what, buffer)

struct Sizes {
  int64_t rows = 1, classes;
};

Sizes SizesOf(Dims z) {
  Sizes s{1, z[z.size() - 1]};
  for (size_t i = 0; i + 1 < z.size(); ++i) s.rows *= z[i];
  return s;
}

// rows(first, last) for blocks of some 16 thousand logits
template <typename Rows>
void OverRows(ffi::ThreadPool& pool, const Sizes& s, const Rows& rows) {
  const int64_t block = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, s.classes));
  parallel_blocks(pool, s.rows, block, kWorkOfExp * s.rows * s.classes, rows);
}

// z: [.., classes]; y: [..], the class of each row. One out of range has z_y = 0.
ffi::Error Run(ffi::ThreadPool pool, F32 z, S32 y, OutF32 log_z, OutF32 z_y, OutF32 mean, OutF32 m) {
  THALWEG_EXPECT(z.dimensions().size() >= 1, "cross_entropy", "the logits must have an axis", z);
  const Sizes s = SizesOf(z.dimensions());
  THALWEG_EXPECT_COUNT(y, s.rows, "there must be a class for each row");
  THALWEG_EXPECT_COUNT(*log_z, s.rows, "log Z must have a number for each row");
  THALWEG_EXPECT_COUNT(*z_y, s.rows, "z_y must have a number for each row");
  THALWEG_EXPECT_COUNT(*mean, s.rows, "the mean must have a number for each row");
  THALWEG_EXPECT_COUNT(*m, s.rows, "m must have a number for each row");
  OverRows(pool, s, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const row = z.typed_data() + i * s.classes;
      const int64_t k = y.typed_data()[i];
      const float most = m->typed_data()[i] = Largest(row, s.classes);
      log_z->typed_data()[i] = LogSumExp(row, s.classes, most);
      z_y->typed_data()[i] = k >= 0 && k < s.classes ? row[k] - most : -most;
      mean->typed_data()[i] =
          total(s.classes, [&](int64_t j, auto at) { return at.keep(at.load(row + j) - most); }) / s.classes;
    }
  });
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 z, S32 y, F32 log_z, F32 m, F32 a, F32 b, F32 c, OutF32 dz) {
  THALWEG_EXPECT(z.dimensions().size() >= 1, "cross_entropy", "the logits must have an axis", z);
  const Sizes s = SizesOf(z.dimensions());
  THALWEG_EXPECT_COUNT(y, s.rows, "there must be a class for each row");
  THALWEG_EXPECT_COUNT(log_z, s.rows, "log Z must have a number for each row");
  THALWEG_EXPECT_COUNT(m, s.rows, "m must have a number for each row");
  for (const F32* cotangent : {&a, &b, &c})
    THALWEG_EXPECT_COUNT(*cotangent, s.rows, "there must be a cotangent for each row");
  THALWEG_EXPECT_COUNT(*dz, s.rows * s.classes, "dz must be as large as z");
  OverRows(pool, s, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const row = z.typed_data() + i * s.classes;
      float* const out = dz->typed_data() + i * s.classes;
      const float most = m.typed_data()[i], log_of = log_z.typed_data()[i], scale = a.typed_data()[i], rest = c.typed_data()[i] / s.classes;
      along(s.classes, [&](int64_t j, auto at) { at.store(out + j, scale * exp((at.load(row + j) - most) - log_of) + rest); });
      const int64_t k = y.typed_data()[i];
      if (k >= 0 && k < s.classes) out[k] += b.typed_data()[i];
    }
  });
  return ffi::Error::Success();
}

// y: as large as z, the share of each class.
ffi::Error RunDense(ffi::ThreadPool pool, F32 z, F32 y, OutF32 log_z, OutF32 dot, OutF32 sum, OutF32 m) {
  THALWEG_EXPECT(z.dimensions().size() >= 1, "cross_entropy", "the logits must have an axis", z);
  const Sizes s = SizesOf(z.dimensions());
  THALWEG_EXPECT_COUNT(y, s.rows * s.classes, "there must be a share for each logit");
  THALWEG_EXPECT_COUNT(*log_z, s.rows, "log Z must have a number for each row");
  THALWEG_EXPECT_COUNT(*dot, s.rows, "sum y z must have a number for each row");
  THALWEG_EXPECT_COUNT(*sum, s.rows, "sum y must have a number for each row");
  THALWEG_EXPECT_COUNT(*m, s.rows, "m must have a number for each row");
  OverRows(pool, s, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const row = z.typed_data() + i * s.classes;
      const float* const share = y.typed_data() + i * s.classes;
      const float most = m->typed_data()[i] = Largest(row, s.classes);
      log_z->typed_data()[i] = LogSumExp(row, s.classes, most);
      dot->typed_data()[i] =
          total(s.classes, [&](int64_t j, auto at) { return (at.load(row + j) - most) * at.load(share + j); });
      sum->typed_data()[i] = total(s.classes, [&](int64_t j, auto at) { return at.load(share + j); });
    }
  });
  return ffi::Error::Success();
}

ffi::Error RunDenseBackward(ffi::ThreadPool pool, F32 z, F32 y, F32 log_z, F32 m, F32 a, F32 b, OutF32 dz) {
  THALWEG_EXPECT(z.dimensions().size() >= 1, "cross_entropy", "the logits must have an axis", z);
  const Sizes s = SizesOf(z.dimensions());
  THALWEG_EXPECT_COUNT(y, s.rows * s.classes, "there must be a share for each logit");
  THALWEG_EXPECT_COUNT(log_z, s.rows, "log Z must have a number for each row");
  THALWEG_EXPECT_COUNT(m, s.rows, "m must have a number for each row");
  for (const F32* cotangent : {&a, &b})
    THALWEG_EXPECT_COUNT(*cotangent, s.rows, "there must be a cotangent for each row");
  THALWEG_EXPECT_COUNT(*dz, s.rows * s.classes, "dz must be as large as z");
  OverRows(pool, s, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const float* const row = z.typed_data() + i * s.classes;
      const float* const share = y.typed_data() + i * s.classes;
      float* const out = dz->typed_data() + i * s.classes;
      const float most = m.typed_data()[i], log_of = log_z.typed_data()[i], scale = a.typed_data()[i], of_share = b.typed_data()[i];
      along(s.classes, [&](int64_t j, auto at) {
        at.store(out + j, scale * exp((at.load(row + j) - most) - log_of) + of_share * at.load(share + j));
      });
    }
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_cross_entropy, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<S32>().Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_cross_entropy_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<S32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_cross_entropy_dense, RunDense, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>());
THALWEG_HANDLER(thalweg_cross_entropy_dense_backward, RunDenseBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>());

}  // namespace thalweg
