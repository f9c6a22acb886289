// What the recurrent sequences share: blocks of rows that walk through time alone, the product of a step, and dU.
//
// A sequence needs nothing of its neighbours in the batch, so a block of rows goes through all its steps on one thread and
// no step waits for another thread. The recurrent kernel is copied once into panels as wide as a tile, the columns of
// a unit's gates side by side, so that a tile holds all that a unit's new state is made of. The bias is the last row of
// that kernel, and reads a 1 behind the state.
//
// A row whose step is masked takes no part in the step's product, and rows of like length stand in one block, so that
// sequences that end early cost no more than their own steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "handler.h"
#include "product.h"
#include "scratch.h"

namespace thalweg {

inline constexpr int64_t kBlockRows = 32;       // sequences of a block at most
inline constexpr int64_t kOuterRows = 128;      // rows gathered for dU: with a panel's columns they fill the first cache
inline constexpr int64_t kPartials = 1 << 23;   // numbers that the parts of dU may have in all

inline int64_t vectors_of(int64_t n) { return (n + kLanes - 1) / kLanes; }
// A row of a buffer, in whole lines and an odd number of them: rows then spread over all sets of the cache.
inline int64_t stride_of(int64_t n) { return ((n + 15) / 16 | 1) * 16; }

inline vf get(const float* p, int64_t n) { return n >= kLanes ? load(p) : load(p, n); }
inline void put(float* p, vf v, int64_t n) {
  if (n >= kLanes) store(p, v);
  else store(p, v, n);
}

struct Sequences {
  int64_t gates = 1;  // columns of U for a unit
  bool reverse = false;
  int64_t models = 1, batch = 0, time = 0, units = 0;
  const float *noise = nullptr, *steps = nullptr;  // [batch, units] and [batch, time], or null

  Sequences(int64_t gates, bool reverse) : gates(gates), reverse(reverse) {}
  int64_t when(int64_t step) const { return reverse ? time - 1 - step : step; }
  int64_t cost() const { return 2 * batch * time * units * units * gates; }
  // Sequences of a block: eight blocks in all, but none so small that U is read for little, and two at least.
  int64_t rows() const {
    const int64_t eighth = std::clamp<int64_t>((batch + 7) / 8, 16, kBlockRows);
    return std::max<int64_t>(1, std::min(eighth, (batch + 1) / 2));
  }
  int64_t blocks() const { return (batch + rows() - 1) / rows(); }
  Sequences model(int64_t m) const {
    Sequences q = *this;
    if (noise) q.noise += m * batch * units;
    if (steps) q.steps += m * batch * time;
    return q;
  }
};

// The rows of the batch, those with more steps first.
inline const int64_t* in_order(const Sequences& q) {
  int64_t* const order = scratch<int64_t>(2, 2 * q.batch + 1);
  int64_t* const length = order + q.batch;
  std::iota(order, order + q.batch, 0);
  if (!q.steps) return order;
  for (int64_t b = 0; b < q.batch; ++b)
    length[b] = std::count_if(q.steps + b * q.time, q.steps + (b + 1) * q.time, [](float s) { return s != 0; });
  std::sort(order, order + q.batch, [&](int64_t a, int64_t b) {
    return length[a] != length[b] ? length[a] > length[b] : a < b;
  });
  return order;
}

// Rows that walk through time together.
struct Block {
  const Sequences& q;
  const int64_t* place;  // of a row in the batch
  int64_t rows, count = 0;
  int64_t active[kBlockRows];  // the rows that the step does not mask
  int64_t stride = stride_of(q.units + 1);

  Block(const Sequences& sequences, const int64_t* order, int64_t block)
      : q(sequences), place(order + block * q.rows()), rows(std::min(q.rows(), q.batch - block * q.rows())) {}

  float* buffer(int64_t i) const { return scratch<float>(3, 4 * kBlockRows * stride) + i * kBlockRows * stride; }

  // The i-th buffer, [rows, stride], filled from [batch, units]; with zeros where that is null.
  float* state(int64_t i, const float* from) const {
    float* const to = buffer(i);
    for (int64_t r = 0; r < rows; ++r) {
      if (from) std::copy_n(from + place[r] * q.units, q.units, to + r * stride);
      else std::fill_n(to + r * stride, q.units, 0.0f);
    }
    return to;
  }

  void begin(int64_t t) {
    count = 0;
    for (int64_t r = 0; r < rows; ++r)
      if (!q.steps || q.steps[place[r] * q.time + t] != 0) active[count++] = r;
  }

  // What U reads of the state h of row r: h times the noise, and a 1.
  void read(int64_t r, const float* h, float* to) const {
    const float* const noise = q.noise ? q.noise + place[r] * q.units : nullptr;
    for (int64_t u = 0; u < q.units; u += kLanes) {
      const int64_t n = q.units - u;
      put(to + u, noise ? get(h + u, n) * get(noise + u, n) : get(h + u, n), n);
    }
    to[q.units] = 1;
  }

  const float* read(const float* h, float* to) const {
    for (int64_t i = 0; i < count; ++i) read(active[i], h + active[i] * stride, to + i * stride);
    return to;
  }

  // dh += the gradient that comes to h_t from outside, [batch, time, units] or null.
  void receive(const float* d_hs, int64_t t, float* dh) const {
    if (!d_hs) return;
    for (int64_t r = 0; r < rows; ++r) {
      const float* const from = d_hs + at(r, t) * q.units;
      float* const to = dh + r * stride;
      for (int64_t u = 0; u < q.units; ++u) to[u] += from[u];
    }
  }

  // dz of the masked rows is 0; dz: [batch, time, gates units].
  void clear(float* dz, int64_t t) const {
    if (count == rows) return;
    const int64_t columns = q.gates * q.units;
    for (int64_t r = 0; r < rows; ++r)
      if (q.steps[place[r] * q.time + t] == 0) std::fill_n(dz + at(r, t) * columns, columns, 0.0f);
  }

  int64_t at(int64_t r, int64_t t) const { return place[r] * q.time + t; }

  void keep(const float* state, float* all, int64_t t) const {  // all: [batch, time, units]
    for (int64_t r = 0; r < rows; ++r) std::copy_n(state + r * stride, q.units, all + at(r, t) * q.units);
  }

  void last(const float* state, float* to) const {  // to: [batch, units]
    for (int64_t r = 0; r < rows; ++r) std::copy_n(state + r * stride, q.units, to + place[r] * q.units);
  }

  // The state before a step, from all states and the first one.
  const float* before(int64_t r, int64_t step, const float* all, const float* first) const {
    return step ? all + at(r, q.when(step - 1)) * q.units : first + place[r] * q.units;
  }
};

// A panel has a unit's `gates` columns for as many vectors of units as a tile is wide, 4 in all; of `left` ones 5 and 6 are
// better cut in halves than as 4 and a thin rest.
inline int64_t panel_width(int64_t left, int64_t gates) {
  const int64_t widest = 4 / gates;
  return left > widest && left < 7 ? std::min<int64_t>(widest, 3) : std::min(left, widest);
}

// The numbers of a packed matrix of K rows and G groups of `units` columns.
inline int64_t packed_size(int64_t K, int64_t G, int64_t units) { return K * G * vectors_of(units) * kLanes; }

// A matrix [K, G units] of any strides, and perhaps a row `bias` below it, as panels [K][G][W vectors] with zeros behind
// the last unit.
inline void pack(ffi::ThreadPool& pool, Matrix b, int64_t K, int64_t G, int64_t units, const float* bias, float* to) {
  constexpr int64_t kTogether = 16;
  const int64_t vectors = vectors_of(units), rows = K + (bias != nullptr);
  // a panel's place depends on those before it, so each vector of columns is dealt out with its panel's shape
  parallel_for(pool, vectors, 8 * packed_size(rows, G, units), [&](int64_t v) {
    int64_t first = 0, wide = panel_width(vectors, G);
    while (v >= first + wide) first += wide, wide = panel_width(vectors - first, G);
    float* const panel = to + first * kLanes * G * rows + (v - first) * kLanes;
    const int64_t n = std::min<int64_t>(kLanes, units - v * kLanes);
    for (int64_t g = 0; g < G; ++g) {
      const int64_t column = g * units + v * kLanes;
      const auto at = [&](int64_t k) { return panel + (k * G + g) * wide * kLanes; };
      for (int64_t k = 0; k < rows; ++k) store(at(k), vf{});
      for (int64_t k = 0; k < K; k += kTogether)
        for (int64_t x = 0; x < n; ++x)
          for (int64_t i = k; i < std::min(K, k + kTogether); ++i)
            at(i)[x] = b.at[i * b.row + (column + x) * b.column];
      if (bias) std::copy_n(bias + column, n, at(K));
    }
  });
}

// A [rows, K] times a packed matrix of G groups: finish(sums, W, row, first unit) for each row of each panel, whose sums
// are [G][W vectors].
template <typename Finish>
inline void step_product(int64_t rows, int64_t units, int64_t K, int64_t G, Strided a, const float* packed, const Finish& finish) {
  const int64_t vectors = vectors_of(units);
  float sums[kBlockRows * 4 * kLanes];
  for (int64_t v = 0, wide; v < vectors; v += wide) {
    wide = panel_width(vectors - v, G);
    const int64_t row = G * wide * kLanes;
    product_in_place(rows, row, K, a, packed + v * kLanes * G * K, row, sums, row, false);
    for (int64_t r = 0; r < rows; ++r) finish(sums + r * row, wide, r, v * kLanes);
  }
}

// dh of the active rows += noise * (D U^T), D [count, columns of U]; `transposed` is U^T packed in one group.
inline void through_kernel(const Block& block, int64_t K, Strided d, const float* transposed, float* dh) {
  const Sequences& q = block.q;
  step_product(block.count, q.units, K, 1, d, transposed, [&](const float* sums, int64_t W, int64_t i, int64_t unit) {
    const int64_t row = block.active[i];
    for (int64_t w = 0; w < W; ++w) {
      const int64_t u = unit + w * kLanes;
      float* const to = dh + row * block.stride + u;
      const vf noise = q.noise ? get(q.noise + block.place[row] * q.units + u, q.units - u) : splat(1.0f);
      put(to, load(to) + load(sums + w * kLanes) * noise, q.units - u);
    }
  });
}

// dU = sum over rows of h^T d: rows are gathered until they fill the first cache. The last row of h^T is the bias's 1.
struct Outer {
  int64_t m, n, sum_row;
  float *sum, *h, *d;
  int64_t h_stride = stride_of(m), d_stride = stride_of(n), rows = 0;
  bool begun;  // whether `sum` holds something

  Outer(int slot, int64_t m, int64_t n, float* sum, int64_t sum_row, bool begun)
      : m(m), n(n), sum_row(sum_row), sum(sum), begun(begun) {
    h = scratch<float>(slot, (kOuterRows + kBlockRows) * (h_stride + d_stride));
    d = h + (kOuterRows + kBlockRows) * h_stride;
  }
  // Room for a step's rows.
  void reserve() {
    if (rows >= kOuterRows) add();
  }
  float* h_row(int64_t i) const { return h + (rows + i) * h_stride; }
  float* d_row(int64_t i) const { return d + (rows + i) * d_stride; }
  void add() {
    product_in_place(m, n, rows, {h, 1, h_stride}, d, d_stride, sum, sum_row, begun);
    rows = 0;
    begun = true;
  }
  void finish() {
    if (rows || !begun) add();
  }
};

// body(block) for each block.
template <typename Body>
void each_block(ffi::ThreadPool& pool, const Sequences& q, const Body& body) {
  const int64_t* const order = in_order(q);
  parallel_for(pool, q.blocks(), q.cost(), [&](int64_t i) {
    Block block(q, order, i);
    body(block);
  });
}

// body(block, sum, begun) for each block: to add its dU, and below it db, to `sum`, or to begin it. Blocks of one part come
// one after the other; dU and db are the sums of the parts in their order.
template <typename Body>
void each_part(ffi::ThreadPool& pool, const Sequences& q, float* dU, float* db, const Body& body) {
  const int64_t* const order = in_order(q);
  const int64_t columns = q.gates * q.units, of_U = q.units * columns, size = of_U + (db ? columns : 0);
  const int64_t most = std::max<int64_t>(4, kPartials / std::max<int64_t>(1, size));
  const int64_t together = std::max<int64_t>(1, (q.blocks() + most - 1) / most);
  const int64_t parts = (q.blocks() + together - 1) / together;
  float* const sums = scratch<float>(1, parts * size + 1);
  parallel_for(pool, parts, 2 * q.cost(), [&](int64_t p) {
    for (int64_t i = p * together; i < std::min(q.blocks(), (p + 1) * together); ++i) {
      Block block(q, order, i);
      body(block, sums + p * size, i > p * together);
    }
  });
  parallel_blocks(pool, size, 1 << 12, 4 * parts * size, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i += kLanes) {
      vf sum{};
      const int64_t n = end - i;
      for (int64_t p = 0; p < parts; ++p) sum += get(sums + p * size + i, n);
      for (int64_t x = 0; x < std::min<int64_t>(kLanes, n); ++x) (i + x < of_U ? dU[i + x] : db[i + x - of_U]) = sum[x];
    }
  });
}

// What all handlers check: values [.., batch, time, columns], U [.., units, gates units], a state [.., batch, units].
inline ffi::Error check(const char* name, Sequences& q, F32 values, int64_t columns, F32 U, F32 b, F32 h, F32 noise,
                        F32 steps) {
  const auto dv = values.dimensions(), du = U.dimensions(), dh = h.dimensions();
  const size_t rank = dv.size();
  THALWEG_EXPECT(rank >= 3, name, "sequences must be [.., batch, time, columns]", values);
  THALWEG_EXPECT(du.size() == rank - 1, name, "the recurrent kernel must be [.., units, columns]", U);
  THALWEG_EXPECT(dh.size() == rank - 1, name, "a state must be [.., batch, units]", h);
  q.models = 1, q.batch = dv[rank - 3], q.time = dv[rank - 2], q.units = du[rank - 3];
  for (size_t i = 0; i + 3 < rank; ++i) {
    THALWEG_EXPECT(dv[i] == du[i] && dv[i] == dh[i], name, "the leading axes differ", values);
    q.models *= dv[i];
  }
  THALWEG_EXPECT(q.units > 0 && du[rank - 2] == q.gates * q.units, name, "it needs the columns of each gate", U);
  THALWEG_EXPECT(dv[rank - 1] == columns * q.units, name, "sequences have another number of columns", values);
  THALWEG_EXPECT(dh[rank - 3] == q.batch && dh[rank - 2] == q.units, name, "the state does not fit", h);
  const auto fits = [&](F32 given, int64_t each) {
    const auto count = static_cast<int64_t>(given.element_count());
    return count == 0 || count == q.models * each;
  };
  THALWEG_EXPECT(fits(b, q.gates * q.units), name, "the bias must have a number for each column", b);
  THALWEG_EXPECT(fits(noise, q.batch * q.units), name, "the noise must be [.., batch, units]", noise);
  THALWEG_EXPECT(fits(steps, q.batch * q.time), name, "the mask of steps must be [.., batch, time]", steps);
  q.noise = noise.element_count() ? noise.typed_data() : nullptr;
  q.steps = steps.element_count() ? steps.typed_data() : nullptr;
  return ffi::Error::Success();
}

// Where a buffer that may be left out begins for model m.
inline const float* of_model(F32 buffer, int64_t m, int64_t size) {
  return buffer.element_count() ? buffer.typed_data() + m * size : nullptr;
}
inline float* of_model(OutF32& buffer, int64_t m, int64_t size) {
  return buffer->element_count() ? buffer->typed_data() + m * size : nullptr;
}

#define THALWEG_EXPECT_SIZE(buffer, size, kernel, what, optional)                                       \
  do {                                                                                                  \
    const auto count = static_cast<int64_t>((buffer).element_count());                                  \
    THALWEG_EXPECT(count == (size) || ((optional) && count == 0), kernel, what " does not fit", buffer); \
  } while (false)

}  // namespace thalweg
