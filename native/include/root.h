// What a number less its mean is multiplied by to have the deviation 1.
#pragma once

#include <cmath>

namespace thalweg {

// 1 / sqrt(square + epsilon); NaN where the square overflowed: it would be 0, and so would what it multiplies.
inline float reciprocal_root(float square, float epsilon) {
  return std::isinf(square) ? NAN : 1.0f / std::sqrt(square + epsilon);
}

}  // namespace thalweg
