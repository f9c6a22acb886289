// The sum of the squares of all numbers of several arrays, read once: the norm of a whole gradient, before it is clipped.
#include <algorithm>
#include <vector>

#include "handler.h"
#include "lanes.h"
#include "parallel.h"
#include "scratch.h"

namespace thalweg {
namespace {

constexpr int64_t kBlock = 1 << 13;  // numbers whose squares are added up alone; then the blocks' sums, in order

struct Part {
  const float* at;
  int64_t size;
};

float Squares(const Part& part) {
  vf sums{};
  along(part.size, [&](int64_t i, auto lanes) {
    const vf v = lanes.load(part.at + i);
    sums += v * v;
  });
  float lane[kLanes], sum = 0.0f;
  store(lane, sums);
  for (float x : lane) sum += x;
  return sum;
}

// Arrays [models.., any shape] in; a number for each model out.
ffi::Error Run(ffi::ThreadPool pool, ffi::RemainingArgs arguments, OutF32 sum) {
  const auto models = static_cast<int64_t>(sum->element_count());
  std::vector<Part> parts;
  std::vector<size_t> first{0};  // each model's parts
  int64_t numbers = 0;
  for (int64_t model = 0; model < models; ++model) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const auto array = arguments.get<ffi::Buffer<ffi::F32>>(i);
      if (!array.has_value()) return array.error();
      const auto all = static_cast<int64_t>((*array).element_count());
      THALWEG_EXPECT(all % models == 0, "square_sum", "an array must have a part for each model", *array);
      const int64_t size = all / models;
      for (int64_t j = 0; j < size; j += kBlock)
        parts.push_back({(*array).typed_data() + model * size + j, std::min(kBlock, size - j)});
      numbers += size;
    }
    first.push_back(parts.size());
  }
  float* const squares = scratch<float>(0, parts.size());
  parallel_for(pool, static_cast<int64_t>(parts.size()), 2 * numbers, [&](int64_t i) { squares[i] = Squares(parts[i]); });
  for (int64_t model = 0; model < models; ++model) {
    double total = 0.0;
    for (size_t i = first[model]; i < first[model + 1]; ++i) total += squares[i];
    sum->typed_data()[model] = static_cast<float>(total);
  }
  return ffi::Error::Success();
}

}  // namespace

THALWEG_HANDLER(thalweg_square_sum, Run, ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().RemainingArgs().Ret<F32>());

}  // namespace thalweg
