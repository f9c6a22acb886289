// The gradient of attention. The weights p = exp(scale s - log_sum) are computed again, block by block:
//
//     dv = p^T do      dp = do v^T      ds = scale p (dp - delta), delta = do . o      dq = ds k      dk = ds^T q
//
// One task has a batch row's group of heads, so nobody else adds to its dk and dv.
#include "attention.h"

namespace thalweg {
namespace {

constexpr int64_t kQueries = 24, kKeys = 128;  // of a block

struct Work {
  Heads a;
  Seen seen;
  float scale;
  const float *q, *k, *v, *o, *log_sum, *dout;
  float *dq, *dk, *dv;
};

// Scores and dp of a row become weights and ds, 0 beyond what is seen.
void Row(float* scores, float* dp, const bool* mask, int64_t seen, int64_t columns, float scale, float log_sum, float delta) {
  const float rest = hide(scores, mask, seen, scale);
  along(seen, [&](int64_t j, auto at) {
    const vf s = at.load(scores + j) * rest, p = exp(s - log_sum);
    at.store(scores + j, p);
    at.store(dp + j, p * (at.load(dp + j) - delta) * scale);
  });
  std::fill(scores + seen, scores + columns, 0.0f);
  std::fill(dp + seen, dp + columns, 0.0f);
}

// kt, vt: [size, wide], transposed.
void QueryBlock(const Work& w, int64_t b, int64_t h, int64_t t, int64_t rows, const float* kt, const float* vt, int64_t wide) {
  const Heads& a = w.a;
  const int64_t g = h / a.shared(), at = a.q_at(b, t, h), out = a.o_at(b, t, h), keys = w.seen.count(a, b, t + rows - 1);
  float* const scores = scratch<float>(2, kQueries * kKeys);
  float* const dp = scratch<float>(3, kQueries * kKeys);
  float delta[kQueries];
  for (int64_t i = 0; i < rows; ++i) {
    const float *o = w.o + out + i * a.o_row(), *dout = w.dout + out + i * a.o_row();
    delta[i] = total(a.size, [&](int64_t j, auto lane) { return lane.load(o + j) * lane.load(dout + j); });
    if (keys == 0) std::fill(w.dq + at + i * a.q_row(), w.dq + at + i * a.q_row() + a.size, 0.0f);
  }
  for (int64_t s = 0; s < keys; s += kKeys) {
    const int64_t n = std::min(kKeys, keys - s), key = a.k_at(b, s, g);
    product_in_place(rows, whole_vectors(n), a.size, {w.q + at, a.q_row(), 1}, kt + s, wide, scores, kKeys, false);
    product_in_place(rows, whole_vectors(n), a.size, {w.dout + out, a.o_row(), 1}, vt + s, wide, dp, kKeys, false);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t count = std::clamp<int64_t>(w.seen.count(a, b, t + i) - s, 0, n);
      const bool* const mask = w.seen.row(a, b, h, t + i);
      Row(scores + i * kKeys, dp + i * kKeys, mask ? mask + s : nullptr, count, n, w.scale,
          w.log_sum[a.statistic_at(b, h, t + i)], delta[i]);
    }
    product_in_place(n, a.size, rows, {scores, 1, kKeys}, w.dout + out, a.o_row(), w.dv + key, a.k_row(), true);
    product_in_place(n, a.size, rows, {dp, 1, kKeys}, w.q + at, a.q_row(), w.dk + key, a.k_row(), true);
    product_in_place(rows, a.size, n, {dp, kKeys, 1}, w.k + key, a.k_row(), w.dq + at, a.q_row(), s > 0);
  }
}

void Group(const Work& w, int64_t b, int64_t g) {
  const Heads& a = w.a;
  for (int64_t s = 0; s < a.keys; ++s)
    for (float* to : {w.dk, w.dv}) std::fill_n(to + a.k_at(b, s, g), a.size, 0.0f);
  if (a.queries == 0) return;
  const int64_t keys = w.seen.count(a, b, a.queries - 1), wide = whole_vectors(keys);
  float* const kt = scratch<float>(0, a.size * wide + 1);
  float* const vt = scratch<float>(1, a.size * wide + 1);
  transpose(w.k + a.k_at(b, 0, g), keys, a.size, a.k_row(), kt, wide);
  transpose(w.v + a.k_at(b, 0, g), keys, a.size, a.k_row(), vt, wide);
  for (int64_t h = g * a.shared(); h < (g + 1) * a.shared(); ++h)
    for (int64_t t = 0; t < a.queries; t += kQueries)
      QueryBlock(w, b, h, t, std::min(kQueries, a.queries - t), kt, vt, wide);
}

// o, log_sum: as the forward pass gave them; dout: as o; dq, dk, dv: as q, k, v.
ffi::Error Run(ffi::ThreadPool pool, F32 q, F32 k, F32 v, Pred mask, S32 lengths, F32 o, F32 log_sum, F32 dout,
               OutF32 dq, OutF32 dk, OutF32 dv, bool causal, float scale, int64_t joined) {
  Work w;
  if (auto error = sizes_of(q, k, v, mask, lengths, causal, joined, &w.a, &w.seen); !error.success()) return error;
  const Heads& a = w.a;
  const int64_t batches = a.models * a.batch;
  THALWEG_EXPECT_OUTPUT(o);
  THALWEG_EXPECT_OUTPUT(dout);
  THALWEG_EXPECT_LIKE(*dq, q);
  THALWEG_EXPECT_LIKE(*dk, k);
  THALWEG_EXPECT_LIKE(*dv, v);
  THALWEG_EXPECT(static_cast<int64_t>(log_sum.element_count()) == batches * a.heads * a.queries, "attention",
                 "log_sum must have a number for each query", log_sum);
  w.scale = scale, w.q = q.typed_data(), w.k = a.keys_of(q.typed_data(), k.typed_data());
  w.v = a.values_of(q.typed_data(), k.typed_data(), v.typed_data()), w.o = o.typed_data();
  w.log_sum = log_sum.typed_data(), w.dout = dout.typed_data();
  w.dq = dq->typed_data(), w.dk = a.keys_of(dq->typed_data(), dk->typed_data());
  w.dv = a.values_of(dq->typed_data(), dk->typed_data(), dv->typed_data());
  const int64_t cost = 10 * batches * a.heads * a.queries * a.keys * a.size / (causal ? 2 : 1);
  parallel_for(pool, batches * a.groups, cost, [&](int64_t i) { Group(w, i / a.groups, i % a.groups); });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_attention_backward, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<Pred>().Arg<S32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("causal").Attr<float>("scale").Attr<int64_t>("joined"));

}  // namespace thalweg
