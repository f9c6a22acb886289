// The simple recurrent network over whole sequences, forward and backward through time.
//
//     h_t = f(z_t + (noise h_{t-1}) U + b)       f = tanh or relu
#include "recurrent.h"
#include "vmath.h"

namespace thalweg {
namespace {

struct Tanh {
  static vf value(vf a) { return tanh(a); }
  static vf slope(vf h) { return 1.0f - h * h; }  // at f(a) = h
};

struct Relu {
  static vf value(vf a) { return a <= 0.0f ? vf{} : a; }  // a NaN stays
  static vf slope(vf h) { return h > 0.0f ? splat(1.0f) : vf{}; }
};

template <typename F>
void Compute(ffi::ThreadPool& pool, const Sequences& q, const float* z, const float* U, const float* b, const float* h0,
             float* hs, float* h1) {
  const int64_t units = q.units, K = units + (b != nullptr);
  float* const packed = scratch<float>(0, packed_size(K, 1, units));
  pack(pool, {U, units, 1}, units, 1, units, b, packed);
  each_block(pool, q, [&](Block& block) {
    float *const h = block.state(0, h0), *const read = block.buffer(2);
    for (int64_t s = 0; s < q.time; ++s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.read(h, read);
      const Strided a{read, block.stride, 1};
      step_product(block.count, units, K, 1, a, packed, [&](const float* sums, int64_t W, int64_t i, int64_t unit) {
        const int64_t row = block.active[i];
        for (int64_t w = 0; w < W; ++w) {
          const int64_t u = unit + w * kLanes, n = units - u;
          put(h + row * block.stride + u, F::value(load(sums + w * kLanes) + get(z + block.at(row, t) * units + u, n)), n);
        }
      });
      block.keep(h, hs, t);
    }
    block.last(h, h1);
  });
}

template <typename F>
void ComputeBackward(ffi::ThreadPool& pool, const Sequences& q, const float* hs, const float* U, const float* h0,
              const float* d_hs, const float* d_h, float* dz, float* dU, float* db, float* dh0) {
  const int64_t units = q.units;
  float* const transposed = scratch<float>(0, packed_size(units, 1, units));
  pack(pool, {U, 1, units}, units, 1, units, nullptr, transposed);
  each_part(pool, q, dU, db, [&](Block& block, float* sum, bool begun) {
    Outer outer(4, units + (db != nullptr), units, sum, units, begun);
    float* const dh = block.state(0, d_h);
    for (int64_t s = q.time - 1; s >= 0; --s) {
      const int64_t t = q.when(s);
      block.begin(t);
      block.receive(d_hs, t, dh);
      block.clear(dz, t);
      outer.reserve();
      for (int64_t i = 0; i < block.count; ++i) {
        const int64_t row = block.active[i], at = block.at(row, t) * units;
        block.read(row, block.before(row, s, hs, h0), outer.h_row(i));
        for (int64_t u = 0; u < units; u += kLanes) {
          const int64_t n = units - u;
          float* const by_h = dh + row * block.stride + u;
          const vf da = get(by_h, n) * F::slope(get(hs + at + u, n));
          put(outer.d_row(i) + u, da, n);
          put(dz + at + u, da, n);
          put(by_h, vf{}, n);
        }
      }
      through_kernel(block, units, {outer.d_row(0), outer.d_stride, 1}, transposed, dh);
      outer.rows += block.count;
    }
    outer.finish();
    block.last(dh, dh0);
  });
}

ffi::Error Run(ffi::ThreadPool pool, F32 z, F32 U, F32 b, F32 h, F32 noise, F32 steps, OutF32 hs, OutF32 h1,
                      bool reverse, bool relu) {
  Sequences q(1, reverse);
  if (ffi::Error error = check("simple_rnn", q, z, 1, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time;
  THALWEG_EXPECT_SIZE(*hs, q.models * all, "simple_rnn", "the result", false);
  THALWEG_EXPECT_SIZE(*h1, q.models * state, "simple_rnn", "the last h", false);
  const auto run = relu ? Compute<Relu> : Compute<Tanh>;
  for (int64_t m = 0; m < q.models; ++m)
    run(pool, q.model(m), z.typed_data() + m * all, U.typed_data() + m * q.units * q.units, of_model(b, m, q.units),
        h.typed_data() + m * state, hs->typed_data() + m * all, h1->typed_data() + m * state);
  return ffi::Error::Success();
}

ffi::Error RunBackward(ffi::ThreadPool pool, F32 hs, F32 U, F32 b, F32 h, F32 noise, F32 steps, F32 d_hs, F32 d_h,
                       OutF32 dz, OutF32 dU, OutF32 db, OutF32 dh, bool reverse, bool relu) {
  Sequences q(1, reverse);
  if (ffi::Error error = check("simple_rnn", q, hs, 1, U, b, h, noise, steps); error.failure()) return error;
  const int64_t state = q.batch * q.units, all = state * q.time, size = q.units * q.units;
  THALWEG_EXPECT_SIZE(d_hs, q.models * all, "simple_rnn", "the gradient of h", true);
  THALWEG_EXPECT_SIZE(d_h, q.models * state, "simple_rnn", "the gradient of the last h", true);
  THALWEG_EXPECT_SIZE(*dz, q.models * all, "simple_rnn", "the gradient of z", false);
  THALWEG_EXPECT_SIZE(*dU, q.models * size, "simple_rnn", "the gradient of U", false);
  THALWEG_EXPECT_SIZE(*db, static_cast<int64_t>(b.element_count()), "simple_rnn", "the gradient of b", false);
  THALWEG_EXPECT_SIZE(*dh, q.models * state, "simple_rnn", "the gradient of the first h", false);
  const auto run = relu ? ComputeBackward<Relu> : ComputeBackward<Tanh>;
  for (int64_t m = 0; m < q.models; ++m)
    run(pool, q.model(m), hs.typed_data() + m * all, U.typed_data() + m * size, h.typed_data() + m * state,
        of_model(d_hs, m, all), of_model(d_h, m, state), dz->typed_data() + m * all, dU->typed_data() + m * size,
        of_model(db, m, q.units), dh->typed_data() + m * state);
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_simple_rnn, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Attr<bool>("reverse").Attr<bool>("relu"));

THALWEG_HANDLER(thalweg_simple_rnn_backward, RunBackward, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>().Arg<F32>()
    .Ret<F32>().Ret<F32>().Ret<F32>().Ret<F32>().Attr<bool>("reverse").Attr<bool>("relu"));

}  // namespace thalweg
