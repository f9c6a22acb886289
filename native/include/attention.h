// What attention's two passes share: the sizes, and which keys a query sees.
#pragma once

#include <algorithm>

#include "handler.h"
#include "lanes.h"
#include "product.h"
#include "scratch.h"
#include "transpose.h"
#include "vmath.h"

namespace thalweg {

// Which of the arrays of heads are one, as a product gave them: the queries' heads first, then the keys', then the values'.
enum Joined : int64_t { kNone, kKeysValues, kAll };

// q [.., batch, queries, heads, size]; k, v [.., batch, keys, groups, size], a group for heads / groups heads each; `models`
// are the axes in front, `batch` without them. An array that is joined has the heads of its parts, and those have none.
struct Heads {
  int64_t models, batch, queries, keys, heads, groups, size;
  Joined joined;

  int64_t shared() const { return heads / groups; }
  int64_t o_row() const { return heads * size; }  // from one time to the next
  int64_t q_row() const { return (heads + (joined == kAll ? 2 * groups : 0)) * size; }
  int64_t k_row() const { return joined == kAll ? q_row() : (joined == kKeysValues ? 2 : 1) * groups * size; }
  int64_t o_at(int64_t b, int64_t t, int64_t h) const { return (b * queries + t) * o_row() + h * size; }
  int64_t q_at(int64_t b, int64_t t, int64_t h) const { return (b * queries + t) * q_row() + h * size; }
  int64_t k_at(int64_t b, int64_t s, int64_t g) const { return (b * keys + s) * k_row() + g * size; }
  int64_t statistic_at(int64_t b, int64_t h, int64_t t) const { return (b * heads + h) * queries + t; }

  // Keys and values, of arrays as q, k and v.
  template <typename T>
  T* keys_of(T* q, T* k) const { return joined == kAll ? q + heads * size : k; }
  template <typename T>
  T* values_of(T* q, T* k, T* v) const { return joined == kNone ? v : keys_of(q, k) + groups * size; }
};

using Pred = ffi::Buffer<ffi::PRED>;

// Query t sees the keys before lengths[b], those up to t where it is causal, and of them those that the mask has.
struct Seen {
  bool causal;
  const int32_t* lengths;
  const bool* mask;            // [models, 1 or batch, 1 or heads, 1 or queries, keys]
  int64_t batch, heads, queries;  // of the mask

  int64_t count(const Heads& a, int64_t b, int64_t t) const {
    int64_t n = causal ? std::min(a.keys, t + 1) : a.keys;
    if (lengths) n = std::clamp<int64_t>(lengths[b], 0, n);
    return n;
  }
  const bool* row(const Heads& a, int64_t b, int64_t h, int64_t t) const {
    if (!mask) return nullptr;
    const int64_t model = b / a.batch, of = model * batch + (batch == 1 ? 0 : b % a.batch);
    return mask + ((of * heads + (heads == 1 ? 0 : h)) * queries + (queries == 1 ? 0 : t)) * a.keys;
  }
};

// Scales the scores and hides those that the mask has not, where there is one; returns the scale that is still to come.
inline float hide(float* scores, const bool* seen, int64_t n, float scale) {
  if (!seen) return scale;
  for (int64_t j = 0; j < n; ++j) scores[j] = seen[j] ? scores[j] * scale : -__builtin_inff();
  return 1;
}

inline ffi::Error sizes_of(F32 q, F32 k, F32 v, Pred mask, S32 lengths, bool causal, int64_t joined, Heads* heads,
                           Seen* seen) {
  const auto dq = q.dimensions(), dk = k.dimensions(), dv = v.dimensions(), dm = mask.dimensions();
  const size_t r = dq.size();
  THALWEG_EXPECT(r >= 4, "attention", "q must be [batch, queries, heads, size]", q);
  THALWEG_EXPECT(dk.size() == r, "attention", "k must be [batch, keys, groups, size]", k);
  int64_t models = 1;
  for (size_t i = 0; i + 4 < r; ++i) models *= dq[i];
  THALWEG_EXPECT(joined >= kNone && joined <= kAll, "attention", "no such arrays are joined", k);
  const auto how = static_cast<Joined>(joined);
  const int64_t parts = how == kKeysValues ? 2 : 1, own = how == kAll ? 2 * dk[r - 2] : 0;  // heads of others
  *heads = {models, dq[r - 4], dq[r - 3], dk[r - 3], dq[r - 2] - own, dk[r - 2] / parts, dq[r - 1], how};
  if (how == kAll) heads->keys = heads->queries;
  for (size_t i = 0; i + 3 < r; ++i) THALWEG_EXPECT(dk[i] == dq[i], "attention", "k has another batch than q", k);
  THALWEG_EXPECT(dk[r - 1] == dq[r - 1], "attention", "k has another size than q", k);
  THALWEG_EXPECT(heads->groups > 0 && heads->heads > 0 && heads->heads % heads->groups == 0 && dk[r - 2] % parts == 0,
                 "attention", "k's heads must divide q's", k);
  THALWEG_EXPECT(how != kNone || (dv.size() == r && std::equal(dv.begin(), dv.end(), dk.begin())), "attention",
                 "v must be as k", v);
  THALWEG_EXPECT(how == kNone || v.element_count() == 0, "attention", "v is in another array", v);
  THALWEG_EXPECT(how != kAll || k.element_count() == 0, "attention", "k is in another array", k);
  const int64_t batches = models * heads->batch;
  const bool limited = lengths.element_count() > 0, masked = mask.element_count() > 0;
  THALWEG_EXPECT(!limited || static_cast<int64_t>(lengths.element_count()) == batches, "attention",
                 "there must be a length for each row of the batch", lengths);
  *seen = {causal, limited ? lengths.typed_data() : nullptr, masked ? mask.typed_data() : nullptr, 1, 1, 1};
  if (masked) {
    THALWEG_EXPECT(dm.size() == r, "attention", "the mask must be [batch, heads, queries, keys]", mask);
    seen->batch = dm[r - 4], seen->heads = dm[r - 3], seen->queries = dm[r - 2];
    const auto fits = [](int64_t n, int64_t whole) { return n == 1 || n == whole; };
    THALWEG_EXPECT(fits(dm[r - 4], dq[r - 4]) && fits(dm[r - 3], heads->heads) && fits(dm[r - 2], dq[r - 3]) &&
                       dm[r - 1] == heads->keys &&
                       static_cast<int64_t>(mask.element_count()) == models * dm[r - 4] * dm[r - 3] * dm[r - 2] * dm[r - 1],
                   "attention", "the mask must be [1 or batch, 1 or heads, 1 or queries, keys]", mask);
  }
  return ffi::Error::Success();
}

#define THALWEG_EXPECT_OUTPUT(buffer)                                                                              \
  THALWEG_EXPECT(static_cast<int64_t>((buffer).element_count()) == batches * a.queries * a.o_row(), "attention", \
                 "the output must have a vector for each query", buffer)
#define THALWEG_EXPECT_LIKE(a, b)                                                  \
  THALWEG_EXPECT((a).element_count() == (b).element_count(), "attention", "the sizes differ", a)

}  // namespace thalweg
