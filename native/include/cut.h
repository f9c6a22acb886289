// How a product is cut into tasks, and a task into blocks of terms and strips of rows.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "panel.h"

namespace thalweg {

inline constexpr int64_t kDepth = 512;            // of a block: terms added before C is written and read again
inline constexpr int64_t kColumns = 16 * kPanel;  // of a block of B
inline constexpr int64_t kKept = 1 << 20;         // numbers of B that a thread keeps from task to task
inline constexpr int64_t kTasks = 16;             // that keep some threads busy to the end

// n in equal parts of `most` at most, each a multiple of `unit`.
inline int64_t equal_part(int64_t n, int64_t most, int64_t unit) {
  const int64_t parts = std::max<int64_t>(1, (n + most - 1) / most);
  return std::max(unit, ((n + parts - 1) / parts + unit - 1) / unit * unit);
}

struct Piece {
  int64_t i, i_end, j, j_end, k, k_end;  // rows and columns of C, terms
  int64_t part;                          // of the terms
  int64_t after;                         // the first row of the thread's next piece, as far as one can tell, or -1
};

// The blocks a product is cut into, by its shape alone: then the bits do not depend on the threads.
struct Cut {
  int64_t m, n, K, rows, columns, depth;

  // How K is cut changes the bits, how C is does not.
  Cut(int64_t m, int64_t n, int64_t K)
      : m(m), n(n), K(K), rows(kRows), columns(n * K <= kKept ? n : equal_part(n, kColumns, kPanel)), depth(K) {
    // parts of K only where their sums are small beside the factors
    const int64_t least = std::max<int64_t>(1, std::min(m, n));
    const int64_t parts = std::min({kTasks / tasks(), K / kDepth, K / least});
    if (parts > 1) depth = equal_part(K, (K + parts - 1) / parts, kDepth);
    // a cut between rows costs nothing; one between columns reads A once more, and halves what a thread copies of B
    rows = kStep * std::clamp<int64_t>(over(over(m, kStep) * over(n, columns) * this->parts(), kTasks), 1, kRows / kStep);
    while (tasks() < (n >= m ? kTasks : kTasks / 2) && columns > 2 * kPanel) columns = half(columns, kPanel);
  }

  static int64_t half(int64_t n, int64_t unit) { return (n / 2 + unit - 1) / unit * unit; }
  static int64_t over(int64_t a, int64_t b) { return a > b ? (a + b - 1) / b : 1; }  // one at least, if an empty one
  int64_t parts() const { return over(K, depth); }
  int64_t tasks() const { return over(m, rows) * over(n, columns) * parts(); }

  // Rows first, then columns: the tasks of a part of K lie together.
  Piece piece(int64_t task) const {
    const int64_t down = over(m, rows), across = over(n, columns);
    const int64_t i = task % down * rows, j = task / down % across * columns, part = task / down / across;
    return {i, std::min(m, i + rows), j, std::min(n, j + columns), part * depth, std::min(K, (part + 1) * depth), part, -1};
  }
};

// One counter for all kinds of products: what a thread holds is of one call.
inline uint64_t next_call() {
  static std::atomic<uint64_t> calls{0};
  return ++calls;
}

// The task that this thread is likely to take after this one: the caller takes them from the front, others from the back.
inline int64_t next_task(uint64_t call, int64_t task, int64_t tasks) {
  static thread_local uint64_t last_call = 0;
  static thread_local int64_t last = 0;
  const bool backward = last_call == call ? task < last : task > 0 && task == tasks - 1;
  last_call = call, last = task;
  return task + (backward ? -1 : 1);
}

// Where a thread is in its piece, a block of terms at a time and in it a strip of rows, and where it goes next.
struct Place {
  int64_t q, depth, i;  // the block's first term and number of terms, the strip's first row
  int64_t then, then_q;  // the same of the next strip; of the last one, as far as known

  Place(const Piece& s, int64_t q, int64_t depth, int64_t i) : q(q), depth(depth), i(i) {
    if (i + kStep < s.i_end) then = i + kStep, then_q = q;
    else if (q + depth < s.k_end) then = s.i, then_q = q + depth;
    else then = s.after >= 0 ? s.after : i, then_q = s.k;
  }
};

}  // namespace thalweg
