// The matrix product C = A B of float32 matrices of any strides (product.cc).
#pragma once

#include "panel.h"
#include "parallel.h"

namespace thalweg {

// C [m, n] = A [m, K] B [K, n], its rows side by side, and the ending, seen from C's first number. To `b_sums` [n], where
// given, the sums of B's columns.
void product(ffi::ThreadPool& pool, int64_t m, int64_t n, int64_t K, Matrix a, Matrix b, float* c, const Ending& ending = {},
             float* b_sums = nullptr);

}  // namespace thalweg
