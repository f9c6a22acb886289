// Which of the libraries this processor can run. Compiled for the plainest processor, and asked in `base` alone.
#include "handler.h"

// 0: base, 1: avx2, 2: avx512.
extern "C" __attribute__((visibility("default"))) int thalweg_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
    return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
  return 0;
}
