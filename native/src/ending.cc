// The gradient of a bias and a ReLU behind a product: dz = dy where y > 0, db = the sums of dz's columns, in one pass.
#include "ending.h"
#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "scratch.h"

namespace thalweg {
namespace {

constexpr int64_t kParts = 32;  // of the rows, each with sums of its own, which are added in order
constexpr int64_t kTogether = 16;  // rows whose numbers of some columns are added in a register

// y: as dy, or nothing where there was no ReLU; dz: as y; dy: [.., rows.., n]; db: [.., n].
ffi::Error Run(ffi::ThreadPool pool, F32 y, F32 dy, OutF32 dz, OutF32 db) {
  const Dims d = dy.dimensions();
  const int64_t size = static_cast<int64_t>(dy.element_count()), sums = static_cast<int64_t>(db->element_count());
  const int64_t n = d.size() ? d[d.size() - 1] : 0, masked = static_cast<int64_t>(y.element_count());
  THALWEG_EXPECT(n > 0 && sums > 0 && sums % n == 0 && size % sums == 0, "ending", "db must have a number for each column", dy);
  THALWEG_EXPECT(masked == 0 || masked == size, "ending", "y must be as large as dy", y);
  THALWEG_EXPECT(static_cast<int64_t>(dz->element_count()) == masked, "ending", "dz must be as large as y", y);
  const int64_t rows = size / sums, block = std::max<int64_t>(16, (rows + kParts - 1) / kParts);
  const int64_t parts = std::max<int64_t>(1, (rows + block - 1) / block);
  float* const shares = scratch<float>(0, parts * n);
  for (int64_t batch = 0; batch < sums / n; ++batch) {
    parallel_for(pool, parts, 4 * rows * n, [&](int64_t part) {
      float* const own = shares + part * n;
      std::fill(own, own + n, 0.0f);
      const int64_t end = std::min(rows, (part + 1) * block);
      for (int64_t first = part * block; first < end; first += kTogether)
        along(n, [&](int64_t j, auto lanes) {
          vf sum{};
          for (int64_t r = first; r < std::min(end, first + kTogether); ++r) {
            const int64_t at = (batch * rows + r) * n + j;
            vf v = lanes.load(dy.typed_data() + at);
            if (masked) {
              v = lanes.load(y.typed_data() + at) > 0.0f ? v : vf{};
              lanes.store(dz->typed_data() + at, v);
            }
            sum += v;
          }
          lanes.store(own + j, lanes.load(own + j) + sum);
        });
    });
    for (int64_t j = 0; j < n; ++j) {
      float sum = shares[j];
      for (int64_t part = 1; part < parts; ++part) sum += shares[part * n + j];
      db->typed_data()[batch * n + j] = sum;
    }
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_ending_gradient, Run, ffi::Ffi::Bind()
    .Ctx<ffi::ThreadPool>().Arg<F32>().Arg<F32>().Ret<F32>().Ret<F32>());

}  // namespace thalweg
