// The LSTM over whole sequences, forward and backward through time.
//
//     i, f, g, o = split(z_t + (noise h_{t-1}) U + b)
//     c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)        h_t = sigmoid(o) tanh(c_t)
#include "recurrent.h"
#include "vmath.h"

namespace thalweg {
namespace {

struct Weights {
  const float *U, *b;  // b may be null
};

void Compute(ffi::ThreadPool& pool, const Sequences& q, const float* z, Weights w, const float* h0, const float* c0,
             float* hs, float* h1, float* c1, float* gates, float* cs) {
  const int64_t units = q.units, K = units + (w.b != nullptr);
  float* const packed = scratch<float>(0, packed_size(K, 4, units));
  pack(pool, {w.U, 4 * units, 1}, units, 4, units, w.b, packed);
  each_block(pool, q, [&](Block& block) {
    float *const h = block.state(0, h0), *const c = block.state(1, c0), *const read = block.buffer(2);
    for (int64_t s = 0; s < q.time; ++s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.read(h, read);
      const Strided a{read, block.stride, 1};
      step_product(block.count, units, K, 4, a, packed, [&](const float* sums, int64_t, int64_t r, int64_t u) {
        const int64_t n = units - u, row = block.active[r], at = block.at(row, t) * 4 * units + u;
        const vf i = sigmoid(load(sums) + get(z + at, n));
        const vf f = sigmoid(load(sums + kLanes) + get(z + at + units, n));
        const vf g = tanh(load(sums + 2 * kLanes) + get(z + at + 2 * units, n));
        const vf o = sigmoid(load(sums + 3 * kLanes) + get(z + at + 3 * units, n));
        const vf cell = f * load(c + row * block.stride + u) + i * g;
        put(c + row * block.stride + u, cell, n);
        put(h + row * block.stride + u, o * tanh(cell), n);
        if (!gates) return;
        put(gates + at, i, n);
        put(gates + at + units, f, n);
        put(gates + at + 2 * units, g, n);
        put(gates + at + 3 * units, o, n);
      });
      block.keep(h, hs, t);
      if (cs) block.keep(c, cs, t);
    }
    block.last(h, h1);
    block.last(c, c1);
  });
}

struct Kept {
  const float *gates, *cs, *hs, *h0, *c0;
};

// da of an active row, to `d` and `dz`, which may be where its gates are; dh becomes 0 and dc that of the step before.
void Differentiate(int64_t units, const float* gates, const float* c, float* dh, float* dc, float* d, float* dz) {
  for (int64_t u = 0; u < units; u += kLanes) {
    const int64_t n = units - u;
    const vf i = get(gates + u, n), f = get(gates + units + u, n), g = get(gates + 2 * units + u, n);
    const vf o = get(gates + 3 * units + u, n), before = get(c + u, n);
    const vf out = tanh(f * before + i * g), by_h = get(dh + u, n);
    const vf by_c = get(dc + u, n) + by_h * o * (1.0f - out * out);
    const vf da[4] = {by_c * g * i * (1.0f - i), by_c * before * f * (1.0f - f), by_c * i * (1.0f - g * g),
                      by_h * out * o * (1.0f - o)};
    for (int k = 0; k < 4; ++k) {
      put(d + k * units + u, da[k], n);
      put(dz + k * units + u, da[k], n);
    }
    put(dc + u, by_c * f, n);
    put(dh + u, vf{}, n);
  }
}

void ComputeBackward(ffi::ThreadPool& pool, const Sequences& q, Kept kept, const float* U, const float* d_hs, const float* d_h,
              const float* d_c, float* dz, float* dU, float* db, float* dh0, float* dc0) {
  const int64_t units = q.units, columns = 4 * units;
  float* const transposed = scratch<float>(0, packed_size(columns, 1, units));
  pack(pool, {U, 1, columns}, columns, 1, units, nullptr, transposed);
  each_part(pool, q, dU, db, [&](Block& block, float* sum, bool begun) {
    Outer outer(4, units + (db != nullptr), columns, sum, columns, begun);
    float *const dh = block.state(0, d_h), *const dc = block.state(1, d_c);
    for (int64_t s = q.time - 1; s >= 0; --s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.receive(d_hs, t, dh);
      block.clear(dz, t);
      outer.reserve();
      for (int64_t i = 0; i < block.count; ++i) {
        const int64_t row = block.active[i], at = block.at(row, t) * columns;
        block.read(row, block.before(row, s, kept.hs, kept.h0), outer.h_row(i));
        Differentiate(units, kept.gates + at, block.before(row, s, kept.cs, kept.c0), dh + row * block.stride,
                      dc + row * block.stride, outer.d_row(i), dz + at);
      }
      through_kernel(block, columns, {outer.d_row(0), outer.d_stride, 1}, transposed, dh);
      outer.rows += block.count;
    }
    outer.finish();
    block.last(dh, dh0);
    block.last(dc, dc0);
  });
}

ffi::Error Run(ffi::ThreadPool pool, F32 z, F32 U, F32 b, F32 h, F32 c, F32 noise, F32 steps, OutF32 hs, OutF32 h1,
                      OutF32 c1, OutF32 gates, OutF32 cs, bool reverse) {
  Sequences q(4, reverse);
  if (ffi::Error error = check("lstm", q, z, 4, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time;
  THALWEG_EXPECT_SIZE(c, q.models * state, "lstm", "the state c", false);
  THALWEG_EXPECT_SIZE(*hs, q.models * all, "lstm", "the result", false);
  THALWEG_EXPECT_SIZE(*h1, q.models * state, "lstm", "the last h", false);
  THALWEG_EXPECT_SIZE(*c1, q.models * state, "lstm", "the last c", false);
  THALWEG_EXPECT_SIZE(*gates, q.models * all * 4, "lstm", "what is kept of the gates", true);
  THALWEG_EXPECT_SIZE(*cs, q.models * all, "lstm", "what is kept of c", true);
  for (int64_t m = 0; m < q.models; ++m)
    Compute(pool, q.model(m), z.typed_data() + m * all * 4,
            {U.typed_data() + m * 4 * q.units * q.units, of_model(b, m, 4 * q.units)}, h.typed_data() + m * state,
            c.typed_data() + m * state, hs->typed_data() + m * all, h1->typed_data() + m * state,
            c1->typed_data() + m * state, of_model(gates, m, 4 * all), of_model(cs, m, all));
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 gates, F32 cs, F32 hs, F32 U, F32 b, F32 h, F32 c, F32 noise, F32 steps,
                       F32 d_hs, F32 d_h, F32 d_c, OutF32 dz, OutF32 dU, OutF32 db, OutF32 dh, OutF32 dc, bool reverse) {
  Sequences q(4, reverse);
  if (ffi::Error error = check("lstm", q, gates, 4, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, columns = 4 * q.units;
  THALWEG_EXPECT_SIZE(cs, q.models * all, "lstm", "what is kept of c", false);
  THALWEG_EXPECT_SIZE(hs, q.models * all, "lstm", "what is kept of h", false);
  THALWEG_EXPECT_SIZE(c, q.models * state, "lstm", "the state c", false);
  THALWEG_EXPECT_SIZE(d_hs, q.models * all, "lstm", "the gradient of h", true);
  THALWEG_EXPECT_SIZE(d_h, q.models * state, "lstm", "the gradient of the last h", true);
  THALWEG_EXPECT_SIZE(d_c, q.models * state, "lstm", "the gradient of the last c", true);
  THALWEG_EXPECT_SIZE(*dz, q.models * all * 4, "lstm", "the gradient of z", false);
  THALWEG_EXPECT_SIZE(*dU, q.models * q.units * columns, "lstm", "the gradient of U", false);
  THALWEG_EXPECT_SIZE(*db, static_cast<int64_t>(b.element_count()), "lstm", "the gradient of b", false);
  THALWEG_EXPECT_SIZE(*dh, q.models * state, "lstm", "the gradient of the first h", false);
  THALWEG_EXPECT_SIZE(*dc, q.models * state, "lstm", "the gradient of the first c", false);
  for (int64_t m = 0; m < q.models; ++m)
    ComputeBackward(pool, q.model(m),
             {gates.typed_data() + m * 4 * all, cs.typed_data() + m * all, hs.typed_data() + m * all,
              h.typed_data() + m * state, c.typed_data() + m * state},
             U.typed_data() + m * q.units * columns, of_model(d_hs, m, all), of_model(d_h, m, state),
             of_model(d_c, m, state), dz->typed_data() + m * 4 * all, dU->typed_data() + m * q.units * columns,
             of_model(db, m, columns), dh->typed_data() + m * state, dc->typed_data() + m * state);
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_lstm, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

THALWEG_HANDLER(thalweg_lstm_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

}  // namespace thalweg
