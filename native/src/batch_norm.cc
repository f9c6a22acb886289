// Normalisation of columns by the statistics of a batch, in which a row of padding may weigh 0.
//
//     y = gamma (x - mu) rstd + beta      mu = sum_r w_r x_r / W      var = sum_r w_r (x_r - mu)^2 / W
//
// W is the sum of the weights, or `least` where that is greater. The sums are taken by blocks of rows, each about its
// own mean, and joined in the order of the blocks; all of differences from the first row that counts, so that the mean of
// equal numbers is that number.
#include <algorithm>

#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "root.h"
#include "scratch.h"

namespace thalweg {
namespace {

struct Sizes {
  int64_t batch = 1, rows, columns, block, blocks;
};

Sizes SizesOf(Dims x) {
  Sizes s{1, x[x.size() - 2], x[x.size() - 1], 0, 0};
  for (size_t i = 0; i + 2 < x.size(); ++i) s.batch *= x[i];
  s.block = std::max({int64_t{8}, 4096 / std::max<int64_t>(1, s.columns), (s.rows + 255) / 256});
  s.blocks = (s.rows + s.block - 1) / s.block;
  return s;
}

// The weight of a row: 1 where there are none.
struct Weights {
  const float* w;
  float operator()(int64_t r) const { return w ? w[r] : 1.0f; }
  float sum(int64_t first, int64_t last) const {
    double s = 0;
    for (int64_t r = first; r < last; ++r) s += (*this)(r);
    return static_cast<float>(s);
  }
  float counted(int64_t rows, float least) const { return w ? std::max(sum(0, rows), least) : static_cast<float>(rows); }
};

// The sum over rows [r, end) of f(r, lanes), in four chains.
template <typename F>
inline __attribute__((always_inline)) vf over_rows(int64_t r, int64_t end, const F& f) {
  vf s[4] = {};
  for (; r + 4 <= end; r += 4)
    for (int u = 0; u < 4; ++u) s[u] += f(r + u);
  for (; r < end; ++r) s[0] += f(r);
  return (s[0] + s[1]) + (s[2] + s[3]);
}

// share: [3, columns], of a block's rows, as differences from `origin`: the sum, the mean, and the squares about it.
void BlockMoments(const float* x, const float* origin, Weights w, int64_t i, int64_t end, int64_t columns, float* share) {
  const float weight = w.sum(i, end), part = weight > 0 ? 1.0f / weight : 0.0f;
  along(columns, [&](int64_t j, auto at) {
    const vf from = at.load(origin + j);
    const vf sum = over_rows(i, end, [&](int64_t r) { return w(r) * (at.load(x + r * columns + j) - from); });
    const vf mean = sum * part;
    at.store(share + j, sum);
    at.store(share + columns + j, mean);
    at.store(share + 2 * columns + j, over_rows(i, end, [&](int64_t r) {
      const vf d = (at.load(x + r * columns + j) - from) - mean;
      return w(r) * (d * d);
    }));
  });
}

void Moments(ffi::ThreadPool& pool, const Sizes& s, const float* x, Weights w, float least, float* mu, float* var) {
  const int64_t n = s.columns;
  const float count = w.counted(s.rows, least);
  float* const shares = scratch<float>(0, 3 * s.blocks * n + 1);
  int64_t first = 0;
  while (first + 1 < s.rows && !(w(first) > 0)) ++first;
  const float* const origin = x + first * n;
  parallel_blocks(pool, s.rows, s.block, 8 * s.rows * n, [&](int64_t i, int64_t end) {
    BlockMoments(x, origin, w, i, end, n, shares + i / s.block * 3 * n);
  });
  std::fill(mu, mu + n, 0.0f);
  std::fill(var, var + n, 0.0f);
  for (int64_t b = 0; b < s.blocks; ++b)
    for (int64_t j = 0; j < n; ++j) mu[j] += shares[b * 3 * n + j];
  // with weights that count for less than `least`, the origin does too
  const float short_of = w.w ? 1 - w.sum(0, s.rows) / count : 0;
  for (int64_t j = 0; j < n; ++j) mu[j] = mu[j] / count - (short_of > 0 ? short_of * origin[j] : 0.0f);
  for (int64_t b = 0; b < s.blocks; ++b) {
    const float weight = w.sum(b * s.block, std::min(s.rows, (b + 1) * s.block));
    const float* const share = shares + b * 3 * n;
    for (int64_t j = 0; j < n; ++j) {
      const float d = share[n + j] - mu[j];
      var[j] += share[2 * n + j] + weight * (d * d);
    }
  }
  for (int64_t j = 0; j < n; ++j) var[j] /= count;
  for (int64_t j = 0; j < n; ++j) mu[j] = short_of < 1 ? origin[j] + mu[j] : 0.0f;
}

#define THALWEG_EXPECT_COUNT(buffer, count, what) \
  THALWEG_EXPECT(static_cast<int64_t>((buffer).element_count()) == (count), "batch_norm", what, buffer)

// x, y: [.., rows, columns]; w: [.., rows] or [.., 0]; gamma, beta: [.., columns] or [.., 0]; mu, var: [.., columns].
ffi::Error Run(ffi::ThreadPool pool, F32 x, F32 w, F32 gamma, F32 beta, OutF32 y, OutF32 mu, OutF32 var,
                   float epsilon, float least) {
  THALWEG_EXPECT(x.dimensions().size() >= 2, "batch_norm", "x must have two axes at least", x);
  const Sizes s = SizesOf(x.dimensions());
  const int64_t n = s.columns;
  const bool weighted = w.element_count() > 0, scaled = gamma.element_count() > 0, shifted = beta.element_count() > 0;
  THALWEG_EXPECT_COUNT(w, weighted ? s.batch * s.rows : 0, "there must be a weight for each row");
  THALWEG_EXPECT_COUNT(gamma, scaled ? s.batch * n : 0, "gamma must have a number for each column");
  THALWEG_EXPECT_COUNT(beta, shifted ? s.batch * n : 0, "beta must have a number for each column");
  THALWEG_EXPECT_COUNT(*y, s.batch * s.rows * n, "y must be as large as x");
  THALWEG_EXPECT_COUNT(*mu, s.batch * n, "mu must have a number for each column");
  THALWEG_EXPECT_COUNT(*var, s.batch * n, "var must have a number for each column");
  float* const factor = scratch<float>(1, 2 * n + 1);
  float* const shift = factor + n;
  for (int64_t model = 0; model < s.batch; ++model) {
    const float* const px = x.typed_data() + model * s.rows * n;
    float* const py = y->typed_data() + model * s.rows * n;
    float* const m = mu->typed_data() + model * n;
    float* const v = var->typed_data() + model * n;
    Moments(pool, s, px, {weighted ? w.typed_data() + model * s.rows : nullptr}, least, m, v);
    for (int64_t j = 0; j < n; ++j) {
      factor[j] = (scaled ? gamma.typed_data()[model * n + j] : 1.0f) * reciprocal_root(v[j], epsilon);
      shift[j] = shifted ? beta.typed_data()[model * n + j] : 0.0f;
    }
    parallel_blocks(pool, s.rows, s.block, 16 * s.rows * n, [&](int64_t i, int64_t end) {
      for (; i < end; ++i)
        along(n, [&](int64_t j, auto at) {
          at.store(py + i * n + j, (at.load(px + i * n + j) - at.load(m + j)) * at.load(factor + j) + at.load(shift + j));
        });
    });
  }
  return ffi::Error::Success();
}

// dx = gamma rstd dy + w / W (a + b (x - mu)), where a and b / rstd are what reaches mu and h = (x - mu) rstd, from y and by
// var from outside. Where x is so large that b, 1 / x^2, may be lost below the smallest number, b / rstd and h are taken.
ffi::Error RunBackward(ffi::ThreadPool pool, F32 x, F32 w, F32 gamma, F32 mu, F32 var, F32 dy, F32 dmu, F32 dvar,
                    OutF32 dx, OutF32 dgamma, OutF32 dbeta, float epsilon, float least) {
  THALWEG_EXPECT(x.dimensions().size() >= 2, "batch_norm", "x must have two axes at least", x);
  const Sizes s = SizesOf(x.dimensions());
  const int64_t n = s.columns, all = s.batch * n;
  const bool weighted = w.element_count() > 0, scaled = gamma.element_count() > 0;
  THALWEG_EXPECT_COUNT(w, weighted ? s.batch * s.rows : 0, "there must be a weight for each row");
  THALWEG_EXPECT_COUNT(gamma, scaled ? all : 0, "gamma must have a number for each column");
  THALWEG_EXPECT_COUNT(mu, all, "mu must have a number for each column");
  THALWEG_EXPECT_COUNT(var, all, "var must have a number for each column");
  THALWEG_EXPECT_COUNT(dy, all * s.rows, "dy must be as large as x");
  THALWEG_EXPECT_COUNT(dmu, all, "dmu must have a number for each column");
  THALWEG_EXPECT_COUNT(dvar, all, "dvar must have a number for each column");
  THALWEG_EXPECT_COUNT(*dx, all * s.rows, "dx must be as large as x");
  THALWEG_EXPECT_COUNT(*dgamma, all, "dgamma must have a number for each column");
  THALWEG_EXPECT_COUNT(*dbeta, all, "dbeta must have a number for each column");
  float* const shares = scratch<float>(0, 2 * s.blocks * n + 1);  // [blocks, 2, columns]
  float* const of_column = scratch<float>(1, 4 * n + 1);
  float *const rstd = of_column, *const factor = rstd + n, *const a = factor + n, *const b = a + n;
  for (int64_t model = 0; model < s.batch; ++model) {
    const float* const px = x.typed_data() + model * s.rows * n;
    const float* const pdy = dy.typed_data() + model * s.rows * n;
    const float* const m = mu.typed_data() + model * n;
    float* const pdx = dx->typed_data() + model * s.rows * n;
    float *const dg = dgamma->typed_data() + model * n, *const db = dbeta->typed_data() + model * n;
    const Weights weights{weighted ? w.typed_data() + model * s.rows : nullptr};
    for (int64_t j = 0; j < n; ++j) rstd[j] = reciprocal_root(var.typed_data()[model * n + j], epsilon);
    parallel_blocks(pool, s.rows, s.block, 16 * s.rows * n, [&](int64_t i, int64_t end) {
      float* const share = shares + i / s.block * 2 * n;
      along(n, [&](int64_t j, auto at) {
        const vf mean = at.load(m + j), r = at.load(rstd + j);
        at.store(share + j, over_rows(i, end, [&](int64_t row) { return at.load(pdy + row * n + j); }));
        at.store(share + n + j, over_rows(i, end, [&](int64_t row) {
          return at.load(pdy + row * n + j) * ((at.load(px + row * n + j) - mean) * r);
        }));
      });
    });
    std::fill(dg, dg + n, 0.0f);
    std::fill(db, db + n, 0.0f);
    for (int64_t k = 0; k < s.blocks; ++k)
      for (int64_t j = 0; j < n; ++j) {
        db[j] += shares[k * 2 * n + j];
        dg[j] += shares[k * 2 * n + n + j];
      }
    const bool far = std::any_of(rstd, rstd + n, [](float r) { return r < 1e-12f; });
    const float count = weights.counted(s.rows, least), short_of = weighted ? 1 - weights.sum(0, s.rows) / count : 0;
    for (int64_t j = 0; j < n; ++j) {
      factor[j] = (scaled ? gamma.typed_data()[model * n + j] : 1.0f) * rstd[j];
      const float to_h = 2 * dvar.typed_data()[model * n + j] / rstd[j] - factor[j] * dg[j];
      // with weights that count for less than `least`, the mean moves the variance too
      const float to_mu = dmu.typed_data()[model * n + j] - factor[j] * db[j] - to_h * rstd[j] * short_of * m[j];
      a[j] = to_mu / count;
      b[j] = (far ? to_h : to_h * rstd[j]) / count;
    }
    parallel_blocks(pool, s.rows, s.block, 24 * s.rows * n, [&](int64_t i, int64_t end) {
      for (; i < end; ++i) {
        const float weight = weights(i);
        along(n, [&](int64_t j, auto at) {
          const vf d = at.load(px + i * n + j) - at.load(m + j);
          at.store(pdx + i * n + j, at.load(factor + j) * at.load(pdy + i * n + j) +
                                        weight * (at.load(a + j) + at.load(b + j) * (far ? d * at.load(rstd + j) : d)));
        });
      }
    });
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_batch_norm, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>().Ret<F32>()
    .Attr<float>("epsilon").Attr<float>("least"));
THALWEG_HANDLER(thalweg_batch_norm_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Attr<float>("epsilon").Attr<float>("least"));

}  // namespace thalweg
