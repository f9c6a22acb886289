// Normalisation of rows by their own statistics: layer normalisation, and without the mean, root mean square.
//
//     y = gamma (x - mu) rstd + beta      rstd = 1 / sqrt(mean((x - mu)^2) + epsilon)
#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "root.h"
#include "scratch.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 64;  // rows whose shares of dgamma and dbeta are added together first

void NormalizeRow(const float* x, const float* gamma, const float* beta, int64_t n, bool centered, float epsilon,
                  float* y, float* mu, float* rstd) {
  // of differences from the first: the mean of equal numbers is then that number
  const float first = n ? x[0] : 0.0f;
  const float m = centered ? first + total(n, [&](int64_t j, auto at) { return at.keep(at.load(x + j) - first); }) / n : 0.0f;
  const float var = total(n, [&](int64_t j, auto at) {
    const vf d = at.keep(at.load(x + j) - m);
    return d * d;
  }) / n;
  const float r = reciprocal_root(var, epsilon);
  along(n, [&](int64_t j, auto at) {
    vf v = (at.load(x + j) - m) * r;
    if (gamma) v *= at.load(gamma + j);
    if (beta) v += at.load(beta + j);
    at.store(y + j, v);
  });
  *mu = m;
  *rstd = r;
}

// With g = gamma dy and h = (x - mu) rstd:  dx = rstd (g - mean(g) - h mean(g h)), dgamma += h dy, dbeta += dy. Where the
// row went on beside the norm too, the gradient of that way is added to dx.
void DifferentiateRow(const float* x, const float* gamma, const float* dy, const float* beside, int64_t n, bool centered,
                      float mu, float rstd, float* dx, float* dgamma, float* dbeta) {
  vf sum_g{}, sum_gh{}, more_g{}, more_gh{};
  const auto add = [&](int64_t j, auto at, vf& a, vf& b) {
    const vf g = gamma ? at.load(dy + j) * at.load(gamma + j) : at.load(dy + j);
    a += g;
    b += at.keep(g * ((at.load(x + j) - mu) * rstd));
  };
  int64_t j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
    add(j, Whole{}, sum_g, sum_gh);
    add(j + kLanes, Whole{}, more_g, more_gh);
  }
  along(n - j, [&](int64_t i, auto at) { add(j + i, at, sum_g, sum_gh); });
  const float mean_g = centered ? total(sum_g + more_g) / n : 0.0f, mean_gh = total(sum_gh + more_gh) / n;
  along(n, [&](int64_t i, auto at) {
    const vf d = at.load(dy + i), h = (at.load(x + i) - mu) * rstd;
    const vf g = gamma ? d * at.load(gamma + i) : d;
    at.store(dx + i, rstd * (g - mean_g - h * mean_gh));
    if (dgamma) at.store(dgamma + i, at.load(dgamma + i) + h * d);
    if (dbeta) at.store(dbeta + i, at.load(dbeta + i) + d);
  });
  // on its own, or it would be rounded otherwise than a sum of two arrays
  if (beside) along(n, [&](int64_t i, auto at) { at.store(dx + i, at.load(dx + i) + at.load(beside + i)); });
}

struct Sizes {
  int64_t batch = 1, rows, n;
};

Sizes SizesOf(Dims x) {
  Sizes s{1, x[x.size() - 2], x[x.size() - 1]};
  for (size_t i = 0; i + 2 < x.size(); ++i) s.batch *= x[i];
  return s;
}

// One gamma and beta for each model of the batch, or none; `part` numbers of a row's statistics for each row.
#define THALWEG_EXPECT_ROWS(x, s)                                                                      \
  THALWEG_EXPECT((x).dimensions().size() >= 2, "layer_norm", "x must have two axes at least", x);      \
  const Sizes s = SizesOf((x).dimensions())
#define THALWEG_EXPECT_COUNT(buffer, count, what) \
  THALWEG_EXPECT(static_cast<int64_t>((buffer).element_count()) == (count), "layer_norm", what, buffer)

// x, y: [.., rows, n]; gamma, beta: [.., n] or [.., 0]; mu, rstd: [.., rows].
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 gamma, F32 beta, OutF32 y, OutF32 mu, OutF32 rstd, bool centered,
                   float epsilon) {
  THALWEG_EXPECT_ROWS(x, s);
  const bool scaled = gamma.element_count() > 0, shifted = beta.element_count() > 0;
  THALWEG_EXPECT_COUNT(gamma, scaled ? s.batch * s.n : 0, "gamma must have a number for each column");
  THALWEG_EXPECT_COUNT(beta, shifted ? s.batch * s.n : 0, "beta must have a number for each column");
  THALWEG_EXPECT_COUNT(*y, s.batch * s.rows * s.n, "y must be as large as x");
  THALWEG_EXPECT_COUNT(*mu, s.batch * s.rows, "mu must have a number for each row");
  THALWEG_EXPECT_COUNT(*rstd, s.batch * s.rows, "rstd must have a number for each row");
  const int64_t all = s.batch * s.rows;
  parallel_blocks(pool, all, kBlock, 16 * all * s.n, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const int64_t model = i / s.rows;
      NormalizeRow(x.typed_data() + i * s.n, scaled ? gamma.typed_data() + model * s.n : nullptr,
                   shifted ? beta.typed_data() + model * s.n : nullptr, s.n, centered, epsilon,
                   y->typed_data() + i * s.n, mu->typed_data() + i, rstd->typed_data() + i);
    }
  });
  return ffi::Error::Success();
}

// beside: as dx, or nothing; dgamma is as large as gamma, dbeta [.., n] or [.., 0].
ffi::Error RunBackward(ffi::ThreadPool pool, F32 x, F32 gamma, F32 mu, F32 rstd, F32 dy, F32 beside, OutF32 dx,
                    OutF32 dgamma, OutF32 dbeta, bool centered) {
  THALWEG_EXPECT_ROWS(x, s);
  const int64_t n = s.n;
  const bool scaled = gamma.element_count() > 0, shifted = dbeta->element_count() > 0;
  THALWEG_EXPECT_COUNT(gamma, scaled ? s.batch * n : 0, "gamma must have a number for each column");
  THALWEG_EXPECT_COUNT(*dgamma, scaled ? s.batch * n : 0, "dgamma must be as large as gamma");
  THALWEG_EXPECT_COUNT(*dbeta, shifted ? s.batch * n : 0, "dbeta must have a number for each column");
  THALWEG_EXPECT_COUNT(mu, s.batch * s.rows, "mu must have a number for each row");
  THALWEG_EXPECT_COUNT(rstd, s.batch * s.rows, "rstd must have a number for each row");
  THALWEG_EXPECT_COUNT(dy, s.batch * s.rows * n, "dy must be as large as x");
  THALWEG_EXPECT_COUNT(*dx, s.batch * s.rows * n, "dx must be as large as x");
  const bool two = beside.element_count() > 0;
  THALWEG_EXPECT_COUNT(beside, two ? s.batch * s.rows * n : 0, "the gradient beside must be as large as x");
  const int64_t block = std::max(kBlock, (s.rows + 63) / 64), blocks = (s.rows + block - 1) / block;
  float* const shares = scratch<float>(0, std::max<int64_t>(1, 2 * blocks * n));  // [blocks, 2, n]
  for (int64_t model = 0; model < s.batch; ++model) {
    const float* const g = scaled ? gamma.typed_data() + model * n : nullptr;
    parallel_blocks(pool, s.rows, block, 24 * s.rows * n, [&](int64_t i, int64_t end) {
      float* const share = shares + i / block * 2 * n;
      std::fill(share, share + 2 * n, 0.0f);
      for (int64_t r = model * s.rows + i; r < model * s.rows + end; ++r)
        DifferentiateRow(x.typed_data() + r * n, g, dy.typed_data() + r * n, two ? beside.typed_data() + r * n : nullptr,
                         n, centered, mu.typed_data()[r], rstd.typed_data()[r], dx->typed_data() + r * n,
                         scaled ? share : nullptr, shifted ? share + n : nullptr);
    });
    const auto gather = [&](const float* from, float* to) {
      std::fill(to, to + n, 0.0f);
      for (int64_t b = 0; b < blocks; ++b)
        for (int64_t j = 0; j < n; ++j) to[j] += from[b * 2 * n + j];
    };
    if (scaled) gather(shares, dgamma->typed_data() + model * n);
    if (shifted) gather(shares + n, dbeta->typed_data() + model * n);
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_layer_norm, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Ret<F32>()
    .Attr<bool>("centered").Attr<float>("epsilon"));
THALWEG_HANDLER(thalweg_layer_norm_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("centered"));

}  // namespace thalweg
