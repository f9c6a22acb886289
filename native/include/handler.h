// What every handler shares: short names for buffers, and errors instead of crashes.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

#include "xla/ffi/api/ffi.h"

namespace thalweg {

namespace ffi = xla::ffi;

using F32 = ffi::Buffer<ffi::F32>;
using BF16 = ffi::Buffer<ffi::BF16>;
using S32 = ffi::Buffer<ffi::S32>;
using U32 = ffi::Buffer<ffi::U32>;
using OutF32 = ffi::ResultBuffer<ffi::F32>;
using OutBF16 = ffi::ResultBuffer<ffi::BF16>;
using OutS32 = ffi::ResultBuffer<ffi::S32>;
using OutU32 = ffi::ResultBuffer<ffi::U32>;
using Dims = ffi::Span<const int64_t>;

inline std::string text(Dims dims) {
  std::ostringstream out;
  out << '[';
  for (size_t i = 0; i < dims.size(); ++i) out << (i ? ", " : "") << dims[i];
  out << ']';
  return out.str();
}

inline ffi::Error wrong(const char* kernel, const char* what, Dims got) {
  return ffi::Error(ffi::ErrorCode::kInvalidArgument,
                    std::string("thalweg kernel ") + kernel + ": " + what + "; it received " + text(got));
}

// Returns an error from the handler unless the condition holds.
#define THALWEG_EXPECT(condition, kernel, what, buffer)                             \
  do {                                                                              \
    if (!(condition)) return ::thalweg::wrong(kernel, what, (buffer).dimensions()); \
  } while (false)

// A handler's symbol, seen from outside the library; `name` stands in thalweg/kernels/ too.
#define THALWEG_HANDLER(name, function, binding)                                                   \
  extern "C" __attribute__((visibility("default"))) XLA_FFI_Error* name(XLA_FFI_CallFrame* frame); \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(name, function, binding)

}  // namespace thalweg
