// gelu(x) = x Phi(x) and its slope, by the normal distribution or by the approximation of it with tanh.
#pragma once

#include "vmath.h"

namespace thalweg {

struct Curve {
  vf value, slope;
};

// gelu'(x) = Phi(x) + x phi(x), phi the normal density.
struct Gelu {
  static vf value(vf x) { return x * normal(x).below; }
  static Curve both(vf x) {
    const Normal n = normal(x);
    return {x * n.below, n.below + x * 0.3989422804014327f * n.bell};
  }
};

// Phi(x) ~ (1 + t) / 2 = s(2 u), t = tanh(u), u = sqrt(2 / pi) (x + 0.044715 x^3); gelu' = s + 2 x s (1 - s) u'.
struct GeluTanh {
  static constexpr float kRoot = 0.7978845608028654f, kCubic = 0.044715f;  // sqrt(2 / pi)

  static vf below(vf x) { return sigmoid(x * (2 * kRoot + 2 * kRoot * kCubic * (x * x))); }
  static vf value(vf x) { return x * below(x); }
  static Curve both(vf x) {
    const vf s = below(x);
    return {x * s, s + x * (s * (1.0f - s)) * (2 * kRoot + 6 * kRoot * kCubic * (x * x))};
  }
};

}  // namespace thalweg
