// Scaled dot-product attention, o = softmax(scale q k^T) v, without the matrix of scores: blocks of queries meet blocks of
// keys, and a row's maximum and sum are kept up to date. Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
// arXiv:2205.14135. A query that sees no key gets 0, and the logarithm of its sum is +inf, so that exp(s - it) is 0.
#include "attention.h"

#include <cmath>

namespace thalweg {
namespace {

constexpr int64_t kQueries = 24, kKeys = 256;  // of a block
constexpr int64_t kChunk = 192;                // queries of one task

// Scores of a row become weights exp(scale s - max); what was there before is to be scaled by the result.
float Weigh(float* scores, const bool* mask, int64_t seen, int64_t columns, float scale, float* max, float* sum) {
  scale = hide(scores, mask, seen, scale);
  const float next = std::max(*max, largest(seen, [&](int64_t j, auto at) { return at.load(scores + j) * scale; }));
  const float about = next == -INFINITY ? 0 : next;
  const float before = std::exp(*max - about);
  *sum = *sum * before + total(seen, [&](int64_t j, auto at) {
    const vf p = exp(at.load(scores + j) * scale - about);
    at.store(scores + j, p);
    return p;
  });
  std::fill(scores + seen, scores + columns, 0.0f);
  *max = next;
  return before;
}

void ScaleRow(float* o, int64_t n, float by) {
  along(n, [&](int64_t j, auto at) { at.store(o + j, at.load(o + j) * by); });
}

struct Work {
  Heads a;
  Seen seen;
  float scale;
  const float *q, *k, *v;
  float *o, *log_sum;
};

// kt: [size, wide], the keys of the head transposed, as many as any of these queries sees.
void QueryBlock(const Work& w, int64_t b, int64_t h, int64_t t, int64_t rows, int64_t keys, const float* kt, int64_t wide) {
  const Heads& a = w.a;
  float* const scores = scratch<float>(1, kQueries * kKeys);
  float* const o = w.o + a.o_at(b, t, h);
  float max[kQueries], sum[kQueries];
  std::fill(max, max + rows, -INFINITY);
  std::fill(sum, sum + rows, 0.0f);
  for (int64_t s = 0; s < keys; s += kKeys) {
    const int64_t n = std::min(kKeys, keys - s);
    product_in_place(rows, whole_vectors(n), a.size, {w.q + a.q_at(b, t, h), a.q_row(), 1}, kt + s, wide, scores, kKeys, false);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t count = std::clamp<int64_t>(w.seen.count(a, b, t + i) - s, 0, n);
      const bool* const mask = w.seen.row(a, b, h, t + i);
      const float before = Weigh(scores + i * kKeys, mask ? mask + s : nullptr, count, n, w.scale, max + i, sum + i);
      if (s > 0 && before != 1) ScaleRow(o + i * a.o_row(), a.size, before);
    }
    product_in_place(rows, a.size, n, {scores, kKeys, 1}, w.v + a.k_at(b, s, h / a.shared()), a.k_row(), o, a.o_row(), s > 0);
  }
  for (int64_t i = 0; i < rows; ++i) {
    const bool none = sum[i] == 0;
    w.log_sum[a.statistic_at(b, h, t + i)] = none ? INFINITY : max[i] + std::log(sum[i]);
    if (keys == 0) std::fill(o + i * a.o_row(), o + i * a.o_row() + a.size, 0.0f);
    else if (!none) ScaleRow(o + i * a.o_row(), a.size, 1 / sum[i]);
  }
}

void Chunk(const Work& w, int64_t b, int64_t h, int64_t t, int64_t end) {
  const Heads& a = w.a;
  const int64_t keys = w.seen.count(a, b, end - 1), wide = whole_vectors(keys);
  float* const kt = scratch<float>(0, a.size * wide + 1);
  transpose(w.k + a.k_at(b, 0, h / a.shared()), keys, a.size, a.k_row(), kt, wide);
  for (; t < end; t += kQueries) {
    const int64_t rows = std::min(kQueries, end - t);
    QueryBlock(w, b, h, t, rows, w.seen.count(a, b, t + rows - 1), kt, wide);
  }
}

// One query, as in generation over a cache: keys and values are read once, where they lie.
void SingleQuery(const Work& w, int64_t b, int64_t g) {
  const Heads& a = w.a;
  const int64_t keys = w.seen.count(a, b, 0), n = a.shared();
  float* const scores = scratch<float>(1, n * keys + 1);  // [n, keys]
  const float* const q = w.q + a.q_at(b, 0, g * n);
  float* const o = w.o + a.o_at(b, 0, g * n);
  for (int64_t s = 0; s < keys; ++s)
    for (int64_t i = 0; i < n; ++i)
      scores[i * keys + s] = total(a.size, [&](int64_t j, auto at) {
        return at.load(q + i * a.size + j) * at.load(w.k + a.k_at(b, s, g) + j);
      });
  for (int64_t i = 0; i < n; ++i) {
    float max = -INFINITY, sum = 0;
    Weigh(scores + i * keys, w.seen.row(a, b, g * n + i, 0), keys, keys, w.scale, &max, &sum);
    w.log_sum[a.statistic_at(b, g * n + i, 0)] = sum == 0 ? INFINITY : max + std::log(sum);
    ScaleRow(scores + i * keys, keys, sum == 0 ? 0 : 1 / sum);
  }
  product_in_place(n, a.size, keys, {scores, keys, 1}, w.v + a.k_at(b, 0, g), a.k_row(), o, a.size, false);
}

// mask: as `Seen` says, or empty; lengths: [.., batch] or empty; log_sum: [.., batch, heads, queries].
ffi::Error Run(ffi::ThreadPool pool, F32 q, F32 k, F32 v, Pred mask, S32 lengths, OutF32 o, OutF32 log_sum, bool causal,
               float scale, int64_t joined) {
  Work w;
  if (auto error = sizes_of(q, k, v, mask, lengths, causal, joined, &w.a, &w.seen); !error.success()) return error;
  const Heads& a = w.a;
  const int64_t batches = a.models * a.batch;
  THALWEG_EXPECT_OUTPUT(*o);
  THALWEG_EXPECT(static_cast<int64_t>(log_sum->element_count()) == batches * a.heads * a.queries, "attention",
                 "log_sum must have a number for each query", *log_sum);
  w.scale = scale, w.q = q.typed_data(), w.k = a.keys_of(q.typed_data(), k.typed_data());
  w.v = a.values_of(q.typed_data(), k.typed_data(), v.typed_data());
  w.o = o->typed_data(), w.log_sum = log_sum->typed_data();
  const int64_t cost = 4 * batches * a.heads * a.queries * a.keys * a.size / (causal ? 2 : 1);
  if (a.queries == 1) {
    parallel_for(pool, batches * a.groups, 2 * cost, [&](int64_t i) { SingleQuery(w, i / a.groups, i % a.groups); });
    return ffi::Error::Success();
  }
  const int64_t chunks = (a.queries + kChunk - 1) / kChunk;
  parallel_for(pool, batches * a.heads * chunks, cost, [&](int64_t i) {
    const int64_t head = i / chunks, t = i % chunks * kChunk;
    Chunk(w, head / a.heads, head % a.heads, t, std::min(a.queries, t + kChunk));
  });
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_attention, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<Pred>().Arg<S32>().Ret<F32>().Ret<F32>()
    .Attr<bool>("causal").Attr<float>("scale").Attr<int64_t>("joined"));

}  // namespace thalweg
