// The matrix product C = A B of float32 matrices of any strides, in the manner of Goto & van de Geijn 2008, "Anatomy of
// high-performance matrix multiplication".
//
// Products of few rows read A and B where they lie. The others are cut into tasks that share nothing: a block of C, and
// where C is small a part of K whose sums are added up at the end. A thread copies B into panels as wide as a tile and
// keeps them, if they are few, for its next task; that two threads copy the same costs less than to wait for each other,
// and to read what the other wrote. Rows of A are copied, where they lie scattered, a strip as high as a tile at a time.
// While a strip is computed, memory fetches the next one, and the lines of C that it will be written to.
#include "product.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cut.h"
#include "scratch.h"

namespace thalweg {
namespace {

constexpr int64_t kFewRows = 48;      // of C: B is read too seldom to be copied
constexpr int64_t kFewColumns = 256;  // of C: then such a product is cut into parts of B's rows
constexpr int64_t kFewDeep = 96;      // of them, about

// A strip of A, m <= kStep rows and K columns, as it lies or, where its lines lie far apart, copied to `room`, which holds
// kStep rows.
Strided strip(Matrix a, int64_t m, int64_t K, float* room) {
  if (std::max(a.row, a.column) <= kDepth) return {a.at, a.row, a.column};
  if (a.column == 1) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(a.at + i * a.row, K, room + i * K);
    return {room, K, 1};
  }
  const float* from = a.at;
  float* to = room;
  if (m == kStep) for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::memcpy(to, from, kStep * sizeof(float));
  else for (int64_t k = 0; k < K; ++k, to += kStep, from += a.column) std::copy_n(from, m, to);
  return {room, 1, kStep};
}

// sums += the panel's rows, or = them at the `first`.
void add_rows(const float* panel, int64_t K, int64_t columns, bool first, float* sums) {
  constexpr int kChains = 4;  // of terms, so that one does not wait for another
  vf low[kChains] = {}, high[kChains] = {};
  int64_t k = 0;
  for (; k + kChains <= K; k += kChains)
    for (int c = 0; c < kChains; ++c, panel += kPanel) low[c] += load(panel), high[c] += load(panel + kLanes);
  for (; k < K; ++k, panel += kPanel) low[0] += load(panel), high[0] += load(panel + kLanes);
  float sum[kPanel];
  store(sum, (low[0] + low[1]) + (low[2] + low[3])), store(sum + kLanes, (high[0] + high[1]) + (high[2] + high[3]));
  for (int64_t j = 0; j < columns; ++j) sums[j] = first ? sum[j] : sums[j] + sum[j];
}

// A piece's rows and columns of B in panels, which a thread packs a block of terms at a time or, if they are few, once for
// all its tasks of a call.
struct Panels {
  Matrix b;
  const Piece& s;
  int64_t across;  // columns, the last panel filled up
  bool kept, packed;
  float* at;

  Panels(Matrix b, const Piece& s, uint64_t call) : b(b), s(s), across((s.j_end - s.j + kPanel - 1) / kPanel * kPanel) {
    struct Held {
      uint64_t call;
      int64_t j, k;
    };
    static thread_local Held held{};
    kept = (s.k_end - s.k) * across <= kKept;
    packed = kept && held.call == call && held.j == s.j && held.k == s.k;
    held = {kept ? call : 0, s.j, s.k};
    at = scratch<float>(0, kept ? (s.k_end - s.k) * across : kDepth * kColumns);
  }

  // The columns from j on, of the terms from q on: in B, and as a panel.
  const float* from(int64_t q, int64_t j) const { return b.at + q * b.row + j * b.column; }
  float* panel(int64_t q, int64_t depth, int64_t j) const {
    return at + (kept ? (q - s.k) * across : 0) + (j - s.j) * depth;
  }
  void pack(int64_t q, int64_t depth, int64_t j, float* to) const {
    pack_panels({from(q, j), b.row, b.column}, depth, std::min(kPanel, s.j_end - j), to);
  }
};

// What the tiles of a strip ask for: of the next strip of A each its share, in the order in which that lies, or of rows with
// gaps between them one; and of the next rows of C, where these lie together.
struct Asks {
  Matrix next;
  int64_t terms, lines;
  const float* write;
  int64_t apart, write_step;
  int64_t rows;  // of B, from one to the next

  Asks(const Place& p, Matrix a, int64_t m, const float* c, int64_t c_row, bool whole, int64_t rows) : rows(rows) {
    const bool more = p.then != p.i && p.then + kStep <= m;
    const int64_t row = more ? p.then : p.i;
    next = {a.at + row * a.row + p.then_q * a.column, a.row, a.column};
    terms = std::max<int64_t>(1, p.depth), lines = terms / kTermsPerLine;
    write = c + row * c_row;
    apart = kPanel * (more && whole ? kStep : 1), write_step = more && whole ? kStep * kPanel * kTermsPerLine / terms : 0;
  }

  Ahead tile(int64_t t) const {
    const int64_t first = t * lines;
    const float* const to = write + t * apart;
    if (next.column != 1)
      return {next.at + first / terms * kStep + first % terms * next.column + kStep - 1, to, next.column, write_step};
    if (next.row == terms) return {next.at + first * kLine, to, kLine, write_step};
    return {next.at + t % kStep * next.row, to, kTermsPerLine, write_step};
  }
};

// A strip of C, m <= kStep rows and n columns, from panels that lie side by side, the first of them the `t`-th of its block;
// each tile asks for what comes after it. The next panel to be copied begins at `row`, if one does.
void strip_of_panels(int64_t m, int64_t n, int64_t K, Strided a, const float* panel, float* c, int64_t c_row, bool add,
                     const Due& due, const Asks& asks, int64_t t, const float* row) {
  for (int64_t j = 0; j < n; j += kPanel, panel += K * kPanel, ++t) {
    const int64_t wide = std::min(kPanel, n - j), last = in_last(wide);
    const Ahead ask = asks.tile(t);
    const auto visit = [&](auto M, auto N, int64_t i) __attribute__((always_inline)) {
      const Strided rows{a.at + i * a.row, a.row, a.k};
      tile_of<Tile<decltype(M)::value, decltype(N)::value>>(
          c + i * c_row + j, c_row, add, last, due.ending, due.row + i, due.column + j,
          [&](auto& tile) __attribute__((always_inline)) {  // as a call it would pass the sums through memory
            if constexpr (M == tile_rows(2) && N == 2)
              if (row) return tile.template add_columns<true>(K, rows, panel, kPanel, kLanes, AheadWithPanel(ask, row, asks.rows));
            tile.template add_columns<true>(K, rows, panel, kPanel, kLanes, ask);
          });
    };
    if (due.ending) due.ending->fetch(due.row, due.column + j, m, wide);
    if (wide > kLanes) tiles_of_columns<2, kStep>(m, visit);
    else tiles_of_columns<1, kStep>(m, visit);
  }
}

// C's block, to `c`, and its ending where given. To `b_sums`, where given, the sums of B's columns over these terms. A panel
// is copied just before its first tile, while memory fetches the next one. Rows are outside: those of A stay in the first
// cache, B's panels in the second, and C is written in order.
void product_block(Matrix a, const Panels& b, int64_t m, float* c, int64_t c_row, float* b_sums, const Ending* ending) {
  const Piece& s = b.s;
  float* const room = scratch<float>(1, kStep * kDepth);
  const bool whole = s.j_end - s.j == c_row;  // rows of C, without gaps between them
  const int64_t deep = equal_part(s.k_end - s.k, kDepth, kTermsPerLine);
  for (int64_t q = s.k; q == s.k || q < s.k_end; q += deep)  // once for no terms too: C is then zero
    for (int64_t i = s.i; i == s.i || i < s.i_end; i += kStep) {  // and for no rows: B has sums
      const Place p(s, q, std::min(deep, s.k_end - q), i);
      const int64_t high = std::min(kStep, s.i_end - i);
      const bool last = q + p.depth == s.k_end, first = i == s.i && !b.packed;
      const Strided left = strip({a.at + i * a.row + q * a.column, a.row, a.column}, high, p.depth, room);
      const Asks asks(p, a, m, c + s.j, c_row, whole, b.b.row);
      const int64_t across = first || (b_sums && i == s.i) ? kPanel : s.j_end - s.j;
      for (int64_t j = s.j, t = 0; j < s.j_end; j += across, ++t) {
        const int64_t wide = std::min(across, s.j_end - j);
        float* const panel = b.panel(q, p.depth, j);
        if (first) b.pack(q, p.depth, j, panel);
        if (b_sums && i == s.i) add_rows(panel, p.depth, wide, q == s.k, b_sums + j);
        const bool more = first && j + kPanel < s.j_end && b.b.column == 1;  // panels to be copied
        strip_of_panels(high, wide, p.depth, left, panel, c + i * c_row + j, c_row, q > s.k, {last ? ending : nullptr, i, j},
                        asks, t, more ? b.from(q, j + kPanel) : nullptr);
      }
    }
}

// C [m, n] = the sum of its `parts`, one after the other, in order; then the ending.
void add_parts(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t parts, const float* sums, float* c, const Ending* ending) {
  parallel_blocks(pool, m, 8, parts * m * n, [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i)
      for (int64_t j = 0; j < n; j += kLanes) {
        const int64_t last = std::min<int64_t>(kLanes, n - j);
        Tile<1, 1> t, more;
        t.read(sums + i * n + j, n, last);
        for (int64_t part = 1; part < parts; ++part) {
          more.read(sums + (part * m + i) * n + j, n, last);
          t.sum[0][0] += more.sum[0][0];
        }
        if (ending) (*ending)(t, i, j, last);
        t.write(c + i * n + j, n, last);
      }
  });
}

// The product where B is read too seldom to be copied: a task has some columns of B or, where these are few, some rows,
// which the gradient and the optimizer leave in the cache of the thread that takes them here too.
void product_of_few_rows(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c,
                         const Ending* ending) {
  const int64_t cost = 2 * m * n * K;
  const int64_t parts = n > kFewColumns || cost < 2 * kWorthAThread ? 1 : std::max<int64_t>(1, K / kFewDeep);
  const auto some = [&](int64_t k, int64_t k_end, int64_t j, int64_t j_end, float* to, const Due& due) {
    product_in_place(m, j_end - j, k_end - k, {a.at + k * a.column, a.row, a.column}, b.at + k * b.row + j, b.row, to + j, n,
                     false, due);
  };
  if (parts == 1)
    return parallel_blocks(pool, n, 4 * kLanes, cost, [&](int64_t j, int64_t end) {
      some(0, K, j, end, c, {ending, 0, j});
    });
  float* const sums = scratch<float>(2, parts * m * n);
  parallel_for(pool, parts, cost, [&](int64_t part) {
    some(part * K / parts, (part + 1) * K / parts, 0, n, sums + part * m * n, {});
  });
  add_parts(pool, m, n, parts, sums, c, ending);
}

}  // namespace

void product(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c, const Ending& end,
             float* b_sums) {
  const Ending* const ending = end.empty() ? nullptr : &end;
  const int64_t cost = 2 * m * n * K;
  if (m < kFewRows && b.column == 1 && K < 4 * kDepth && !b_sums) return product_of_few_rows(pool, m, n, K, a, b, c, ending);
  const Cut cut(m, n, K);
  const int64_t parts = cut.parts(), tasks = cut.tasks();
  float* const sums = parts > 1 ? scratch<float>(2, parts * (m + 1) * n) : c;
  float* const row_sums = parts > 1 && b_sums ? sums + parts * m * n : b_sums;
  const uint64_t call = next_call();
  parallel_for(pool, tasks, cost, [&](int64_t task) {
    Piece s = cut.piece(task);
    const int64_t part = s.part, then = next_task(call, task, tasks);
    if (then >= 0 && then < tasks) s.after = cut.piece(then).i;
    const Panels panels(b, s, call);
    float* const of_b = row_sums && s.i == 0 ? row_sums + part * n : nullptr;
    product_block(a, panels, m, sums + part * (parts > 1 ? m * n : 0), n, of_b, parts > 1 ? nullptr : ending);
  });
  if (parts == 1) return;
  add_parts(pool, m, n, parts, sums, c, ending);
  if (b_sums) add_parts(pool, 1, n, parts, row_sums, b_sums, nullptr);
}

}  // namespace thalweg
