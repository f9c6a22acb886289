// The gated recurrent unit over whole sequences, its reset gate before the product (Cho et al. 2014; reset_after=False).
//
//     a = sigmoid(z_a + x U_a + b_a)   r = sigmoid(z_r + x U_r + b_r)   g = tanh(z_g + (r x) U_g + b_g)   x = noise h_{t-1}
//     h_t = a h_{t-1} + (1 - a) g
#include "recurrent.h"
#include "vmath.h"

namespace thalweg {
namespace {

void Compute(ffi::ThreadPool& pool, const Sequences& q, const float* z, const float* U, const float* b, const float* h0,
             float* hs, float* h1, float* gates) {
  const int64_t units = q.units, columns = 3 * units, K = units + (b != nullptr);
  float* const of_gates = scratch<float>(0, packed_size(K, 3, units));
  float* const of_g = of_gates + packed_size(K, 2, units);
  pack(pool, {U, columns, 1}, units, 2, units, b, of_gates);
  pack(pool, {U + 2 * units, columns, 1}, units, 1, units, b ? b + 2 * units : nullptr, of_g);
  each_block(pool, q, [&](Block& block) {
    float *const h = block.state(0, h0), *const as = block.buffer(1), *const xs = block.buffer(2), *const rx = block.buffer(3);
    const int64_t stride = block.stride;
    for (int64_t s = 0; s < q.time; ++s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.read(h, xs);
      const auto gate = [&](const float* sums, int64_t W, int64_t i, int64_t unit) {
        for (int64_t w = 0; w < W; ++w) {
          const int64_t u = unit + w * kLanes, n = units - u, row = i * stride + u;
          const int64_t at = block.at(block.active[i], t) * columns + u;
          const vf a = sigmoid(load(sums + w * kLanes) + get(z + at, n));
          const vf r = sigmoid(load(sums + (W + w) * kLanes) + get(z + at + units, n));
          put(as + row, a, n);
          put(rx + row, r * get(xs + row, n), n);
          if (!gates) continue;
          put(gates + at, a, n);
          put(gates + at + units, r, n);
        }
      };
      step_product(block.count, units, K, 2, {xs, stride, 1}, of_gates, gate);
      for (int64_t i = 0; i < block.count; ++i) rx[i * stride + units] = 1;  // what reads the bias
      const auto mix = [&](const float* sums, int64_t W, int64_t i, int64_t unit) {
        const int64_t row = block.active[i];
        for (int64_t w = 0; w < W; ++w) {
          const int64_t u = unit + w * kLanes, n = units - u, at = block.at(row, t) * columns + 2 * units + u;
          float* const state = h + row * stride + u;
          const vf g = tanh(load(sums + w * kLanes) + get(z + at, n));
          put(state, g + get(as + i * stride + u, n) * (get(state, n) - g), n);
          if (gates) put(gates + at, g, n);
        }
      };
      step_product(block.count, units, K, 1, {rx, stride, 1}, of_g, mix);
      block.keep(h, hs, t);
    }
    block.last(h, h1);
  });
}

struct Kept {
  const float *gates, *hs, *h0;
};

// dz of an active row but for r's, and the same to `da` and `dg`; r x to `rx`; dh becomes what goes past the gates.
void Differentiate(int64_t units, const float* gates, const float* h, const float* x, float* dh, float* da, float* dg,
                   float* dz, float* rx) {
  for (int64_t u = 0; u < units; u += kLanes) {
    const int64_t n = units - u;
    const vf a = get(gates + u, n), r = get(gates + units + u, n), g = get(gates + 2 * units + u, n);
    const vf by_h = get(dh + u, n), by_g = by_h * (1.0f - a) * (1.0f - g * g);
    const vf by_a = by_h * (get(h + u, n) - g) * a * (1.0f - a);
    put(da + u, by_a, n);
    put(da + units + u, r, n);  // until the product has come
    put(dg + u, by_g, n);
    put(dz + u, by_a, n);
    put(dz + 2 * units + u, by_g, n);
    put(dh + u, by_h * a, n);
    put(rx + u, r * get(x + u, n), n);
  }
  rx[units] = 1;
}

void ComputeBackward(ffi::ThreadPool& pool, const Sequences& q, Kept kept, const float* U, const float* d_hs, const float* d_h,
              float* dz, float* dU, float* db, float* dh0) {
  const int64_t units = q.units, columns = 3 * units, m = units + (db != nullptr);
  float* const gates_transposed = scratch<float>(0, packed_size(columns, 1, units));
  float* const g_transposed = gates_transposed + packed_size(2 * units, 1, units);
  pack(pool, {U, 1, columns}, 2 * units, 1, units, nullptr, gates_transposed);
  pack(pool, {U + 2 * units, 1, columns}, units, 1, units, nullptr, g_transposed);
  each_part(pool, q, dU, db, [&](Block& block, float* sum, bool begun) {
    Outer gates(4, m, 2 * units, sum, columns, begun), of_g(5, m, units, sum + 2 * units, columns, begun);
    float* const dh = block.state(0, d_h);
    for (int64_t s = q.time - 1; s >= 0; --s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.receive(d_hs, t, dh);
      block.clear(dz, t);
      gates.reserve();
      of_g.reserve();
      for (int64_t i = 0; i < block.count; ++i) {
        const int64_t row = block.active[i], at = block.at(row, t) * columns;
        const float* const before = block.before(row, s, kept.hs, kept.h0);
        block.read(row, before, gates.h_row(i));
        Differentiate(units, kept.gates + at, before, gates.h_row(i), dh + row * block.stride, gates.d_row(i),
                      of_g.d_row(i), dz + at, of_g.h_row(i));
      }
      const auto reset = [&](const float* sums, int64_t W, int64_t i, int64_t unit) {
        const int64_t row = block.active[i];
        for (int64_t w = 0; w < W; ++w) {
          const int64_t u = unit + w * kLanes, n = units - u;
          const float* const noise = q.noise ? q.noise + block.place[row] * units + u : nullptr;
          float *const d = gates.d_row(i) + units + u, *const to = dh + row * block.stride + u;
          const vf by_x = load(sums + w * kLanes), r = get(d, n);
          const vf dr = by_x * get(gates.h_row(i) + u, n) * r * (1.0f - r);
          put(d, dr, n);
          put(dz + block.at(row, t) * columns + units + u, dr, n);
          put(to, get(to, n) + by_x * r * (noise ? get(noise, n) : splat(1.0f)), n);
        }
      };
      step_product(block.count, units, units, 1, {of_g.d_row(0), of_g.d_stride, 1}, g_transposed, reset);
      through_kernel(block, 2 * units, {gates.d_row(0), gates.d_stride, 1}, gates_transposed, dh);
      gates.rows += block.count;
      of_g.rows += block.count;
    }
    gates.finish();
    of_g.finish();
    block.last(dh, dh0);
  });
}

ffi::Error Run(ffi::ThreadPool pool, F32 z, F32 U, F32 b, F32 h, F32 noise, F32 steps, OutF32 hs, OutF32 h1,
                      OutF32 gates, bool reverse) {
  Sequences q(3, reverse);
  if (ffi::Error error = check("gru_before", q, z, 3, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, columns = 3 * q.units;
  THALWEG_EXPECT_SIZE(*hs, q.models * all, "gru_before", "the result", false);
  THALWEG_EXPECT_SIZE(*h1, q.models * state, "gru_before", "the last h", false);
  THALWEG_EXPECT_SIZE(*gates, q.models * all * 3, "gru_before", "what is kept of the gates", true);
  for (int64_t m = 0; m < q.models; ++m)
    Compute(pool, q.model(m), z.typed_data() + m * all * 3, U.typed_data() + m * q.units * columns,
            of_model(b, m, columns), h.typed_data() + m * state, hs->typed_data() + m * all,
            h1->typed_data() + m * state, of_model(gates, m, 3 * all));
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 gates, F32 hs, F32 U, F32 b, F32 h, F32 noise, F32 steps,
                       F32 d_hs, F32 d_h, OutF32 dz, OutF32 dU, OutF32 db, OutF32 dh, bool reverse) {
  Sequences q(3, reverse);
  if (ffi::Error error = check("gru_before", q, gates, 3, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, columns = 3 * q.units;
  THALWEG_EXPECT_SIZE(hs, q.models * all, "gru_before", "what is kept of h", false);
  THALWEG_EXPECT_SIZE(d_hs, q.models * all, "gru_before", "the gradient of h", true);
  THALWEG_EXPECT_SIZE(d_h, q.models * state, "gru_before", "the gradient of the last h", true);
  THALWEG_EXPECT_SIZE(*dz, q.models * all * 3, "gru_before", "the gradient of z", false);
  THALWEG_EXPECT_SIZE(*dU, q.models * q.units * columns, "gru_before", "the gradient of U", false);
  THALWEG_EXPECT_SIZE(*db, static_cast<int64_t>(b.element_count()), "gru_before", "the gradient of b", false);
  THALWEG_EXPECT_SIZE(*dh, q.models * state, "gru_before", "the gradient of the first h", false);
  for (int64_t m = 0; m < q.models; ++m)
    ComputeBackward(pool, q.model(m),
             {gates.typed_data() + m * 3 * all, hs.typed_data() + m * all,
              h.typed_data() + m * state},
             U.typed_data() + m * q.units * columns, of_model(d_hs, m, all), of_model(d_h, m, state),
             dz->typed_data() + m * 3 * all, dU->typed_data() + m * q.units * columns, of_model(db, m, columns),
             dh->typed_data() + m * state);
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_gru_before, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

THALWEG_HANDLER(thalweg_gru_before_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse"));

}  // namespace thalweg
