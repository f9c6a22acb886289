// Work shared over XLA's own threads. The calling thread works too: two pools on a few cores would fight for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "xla/ffi/api/ffi.h"

namespace thalweg {

namespace ffi = xla::ffi;

// What one thread should have at least, in floating-point operations or bytes, before a second one is woken: some 10 us.
inline constexpr int64_t kWorthAThread = 1 << 19;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// body(i) for each i of [0, n). `cost` is the whole work, in operations; a small one stays on the calling thread.
//
// Each i is taken by whoever is free, so `body` must compute the same for i whoever runs it: then the bits do not depend
// on the number of threads. The caller takes them from the front, the others from the back: what a thread wrote in one
// kernel it mostly reads in the next, out of its own cache. A task that starts after all i are taken touches nothing of
// the caller's, so the caller waits only for what is under way, and a pool whose threads are all busy cannot block it.
template <typename Body>
void parallel_for(ffi::ThreadPool& pool, int64_t n, int64_t cost, const Body& body) {
  const int64_t threads = std::min({pool.num_threads(), n, cost / kWorthAThread});
  if (threads < 2) {
    for (int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  struct Shared {
    std::atomic<int64_t> taken{0}, back{0}, done{0};
  };
  auto shared = std::make_shared<Shared>();
  const auto one_more = [n](Shared& s) { return s.taken.fetch_add(1, std::memory_order_relaxed) < n; };
  const Body* work = &body;
  auto help = [shared, work, one_more, n] {
    while (one_more(*shared)) {
      (*work)(n - 1 - shared->back.fetch_add(1, std::memory_order_relaxed));
      shared->done.fetch_add(1, std::memory_order_release);
    }
  };
  for (int64_t t = 1; t < threads; ++t) pool.Schedule(decltype(help)(help));
  int64_t front = 0;
  while (one_more(*shared)) body(front++);
  for (int spin = 0; front + shared->done.load(std::memory_order_acquire) < n; ++spin) {
    if (spin < 4096) relax();
    else std::this_thread::yield();
  }
}

// body(first, last) over [0, n) cut into blocks of `block`; the cut depends on n and `block` alone.
template <typename Body>
void parallel_blocks(ffi::ThreadPool& pool, int64_t n, int64_t block, int64_t cost, const Body& body) {
  const int64_t blocks = (n + block - 1) / block;
  parallel_for(pool, blocks, cost, [&](int64_t i) { body(i * block, std::min(n, (i + 1) * block)); });
}

}  // namespace thalweg
