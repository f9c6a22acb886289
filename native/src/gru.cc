// The gated recurrent unit over whole sequences, its reset gate after the product (Keras's reset_after=True, cuDNN).
//
//     a = sigmoid(z_a + p_a)   r = sigmoid(z_r + p_r)   g = tanh(z_g + r p_g)       p = (noise h_{t-1}) U + b
//     h_t = a h_{t-1} + (1 - a) g
#include "recurrent.h"
#include "vmath.h"

namespace thalweg {
namespace {

void Compute(ffi::ThreadPool& pool, const Sequences& q, const float* z, const float* U, const float* b, const float* h0,
             float* hs, float* h1, float* gates, float* ps) {
  const int64_t units = q.units, K = units + (b != nullptr);
  float* const packed = scratch<float>(0, packed_size(K, 3, units));
  pack(pool, {U, 3 * units, 1}, units, 3, units, b, packed);
  each_block(pool, q, [&](Block& block) {
    float *const h = block.state(0, h0), *const read = block.buffer(2);
    for (int64_t s = 0; s < q.time; ++s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.read(h, read);
      const Strided of_read{read, block.stride, 1};
      step_product(block.count, units, K, 3, of_read, packed, [&](const float* sums, int64_t, int64_t i, int64_t u) {
        const int64_t n = units - u, row = block.active[i], at = block.at(row, t);
        const float* const in = z + at * 3 * units + u;
        float* const state = h + row * block.stride + u;
        const vf a = sigmoid(load(sums) + get(in, n)), r = sigmoid(load(sums + kLanes) + get(in + units, n));
        const vf p = load(sums + 2 * kLanes), g = tanh(r * p + get(in + 2 * units, n));
        put(state, g + a * (load(state) - g), n);
        if (!gates) return;
        float* const kept = gates + at * 3 * units + u;
        put(kept, a, n);
        put(kept + units, r, n);
        put(kept + 2 * units, g, n);
        put(ps + at * units + u, p, n);
      });
      block.keep(h, hs, t);
    }
    block.last(h, h1);
  });
}

struct Kept {
  const float *gates, *ps, *hs, *h0;
};

// dp of an active row to `d`, dz to `dz`, which may be where its gates are; dh becomes what goes past the gates.
void Differentiate(int64_t units, const float* gates, const float* p, const float* h, float* dh, float* d, float* dz) {
  for (int64_t u = 0; u < units; u += kLanes) {
    const int64_t n = units - u;
    const vf a = get(gates + u, n), r = get(gates + units + u, n), g = get(gates + 2 * units + u, n);
    const vf by_h = get(dh + u, n), dg = by_h * (1.0f - a) * (1.0f - g * g);
    const vf da = by_h * (get(h + u, n) - g) * a * (1.0f - a), dr = dg * get(p + u, n) * r * (1.0f - r);
    put(d + u, da, n);
    put(d + units + u, dr, n);
    put(d + 2 * units + u, dg * r, n);
    put(dz + u, da, n);
    put(dz + units + u, dr, n);
    put(dz + 2 * units + u, dg, n);
    put(dh + u, by_h * a, n);
  }
}

void ComputeBackward(ffi::ThreadPool& pool, const Sequences& q, Kept kept, const float* U, const float* d_hs, const float* d_h,
              float* dz, float* dU, float* db, float* dh0) {
  const int64_t units = q.units, columns = 3 * units;
  float* const transposed = scratch<float>(0, packed_size(columns, 1, units));
  pack(pool, {U, 1, columns}, columns, 1, units, nullptr, transposed);
  each_part(pool, q, dU, db, [&](Block& block, float* sum, bool begun) {
    Outer outer(4, units + (db != nullptr), columns, sum, columns, begun);
    float* const dh = block.state(0, d_h);
    for (int64_t s = q.time - 1; s >= 0; --s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.receive(d_hs, t, dh);
      block.clear(dz, t);
      outer.reserve();
      for (int64_t i = 0; i < block.count; ++i) {
        const int64_t row = block.active[i], at = block.at(row, t);
        const float* const before = block.before(row, s, kept.hs, kept.h0);
        block.read(row, before, outer.h_row(i));
        Differentiate(units, kept.gates + at * columns, kept.ps + at * units, before, dh + row * block.stride,
                      outer.d_row(i), dz + at * columns);
      }
      through_kernel(block, columns, {outer.d_row(0), outer.d_stride, 1}, transposed, dh);
      outer.rows += block.count;
    }
    outer.finish();
    block.last(dh, dh0);
  });
}

ffi::Error Run(ffi::ThreadPool pool, F32 z, F32 U, F32 b, F32 h, F32 noise, F32 steps, OutF32 hs, OutF32 h1,
                      OutF32 gates, OutF32 ps, bool reverse) {
  Sequences q(3, reverse);
  if (ffi::Error error = check("gru", q, z, 3, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, columns = 3 * q.units;
  THALWEG_EXPECT_SIZE(*hs, q.models * all, "gru", "the result", false);
  THALWEG_EXPECT_SIZE(*h1, q.models * state, "gru", "the last h", false);
  THALWEG_EXPECT_SIZE(*gates, q.models * all * 3, "gru", "what is kept of the gates", true);
  THALWEG_EXPECT_SIZE(*ps, gates->element_count() ? q.models * all : 0, "gru", "what is kept of h U", false);
  for (int64_t m = 0; m < q.models; ++m)
    Compute(pool, q.model(m), z.typed_data() + m * all * 3, U.typed_data() + m * q.units * columns,
            of_model(b, m, columns), h.typed_data() + m * state, hs->typed_data() + m * all,
            h1->typed_data() + m * state, of_model(gates, m, 3 * all), of_model(ps, m, all));
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 gates, F32 ps, F32 hs, F32 U, F32 b, F32 h, F32 noise, F32 steps,
                       F32 d_hs, F32 d_h, OutF32 dz, OutF32 dU, OutF32 db, OutF32 dh, bool reverse) {
  Sequences q(3, reverse);
  if (ffi::Error error = check("gru", q, gates, 3, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, columns = 3 * q.units;
  THALWEG_EXPECT_SIZE(ps, q.models * all, "gru", "what is kept of h U", false);
  THALWEG_EXPECT_SIZE(hs, q.models * all, "gru", "what is kept of h", false);
  THALWEG_EXPECT_SIZE(d_hs, q.models * all, "gru", "the gradient of h", true);
  THALWEG_EXPECT_SIZE(d_h, q.models * state, "gru", "the gradient of the last h", true);
  THALWEG_EXPECT_SIZE(*dz, q.models * all * 3, "gru", "the gradient of z", false);
  THALWEG_EXPECT_SIZE(*dU, q.models * q.units * columns, "gru", "the gradient of U", false);
  THALWEG_EXPECT_SIZE(*db, static_cast<int64_t>(b.element_count()), "gru", "the gradient of b", false);
  THALWEG_EXPECT_SIZE(*dh, q.models * state, "gru", "the gradient of the first h", false);
  for (int64_t m = 0; m < q.models; ++m)
    ComputeBackward(pool, q.model(m),
             {gates.typed_data() + m * 3 * all, ps.typed_data() + m * all, hs.typed_data() + m * all,
              h.typed_data() + m * state},
             U.typed_data() + m * q.units * columns, of_model(d_hs, m, all), of_model(d_h, m, state),
             dz->typed_data() + m * 3 * all, dU->typed_data() + m * q.units * columns, of_model(db, m, columns),
             dh->typed_data() + m * state);
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_gru, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

THALWEG_HANDLER(thalweg_gru_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

}  // namespace thalweg
