// Memory that a thread keeps between calls: fresh pages of the system would cost more than the work on them.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace thalweg {

// `slot` numbers buffers that are in use at the same time on one thread.
template <typename T>
T* scratch(int slot, size_t count) {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  struct Buffer {
    std::unique_ptr<void, Free> memory;
    size_t bytes = 0;
  };
  constexpr int kSlots = 8;
  static thread_local Buffer buffers[kSlots];
  Buffer& buffer = buffers[slot];
  const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
  if (buffer.bytes < bytes) {
    buffer.memory.reset(std::aligned_alloc(64, bytes));
    buffer.bytes = buffer.memory ? bytes : 0;
  }
  return static_cast<T*>(buffer.memory.get());
}

}  // namespace thalweg
