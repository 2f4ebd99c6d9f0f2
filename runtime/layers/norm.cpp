#include "runtime/layers/norm.h"

#include <algorithm>
#include <cmath>

namespace flowqat::runtime {
namespace {

constexpr int64_t frames_a_task = 16;

}  // namespace

void add_norm(Context& context, const LayerNorm& norm, const Summands& x, int64_t frames,
              const NormOutput& y) {
  const FloatPasses& passes = context.kernels.floats;
  const int64_t channels = norm.channels();
  const int64_t tasks = (frames + frames_a_task - 1) / frames_a_task;
  context.threads.run(tasks, [&](int64_t task, int slot) {
    Stack& scratch = context.scratch[static_cast<size_t>(slot)];
    const Scope scope(scratch);
    float* const line = scratch.take<float>(channels);
    const int64_t end = std::min(frames, (task + 1) * frames_a_task);
    for (int64_t frame = task * frames_a_task; frame < end; ++frame) {
      const int64_t at = frame * channels;
      float* const sum = y.sum ? y.sum + at : line;
      const float mean = passes.add(x.floats ? x.floats + at : nullptr,
                                    x.bytes ? x.bytes + at : nullptr, x.grid, channels, sum);
      const float variance = passes.variance(sum, mean, channels);
      passes.norm(sum, channels,
                  {.mean = mean,
                   .reciprocal_deviation = 1.0f / std::sqrt(variance + norm.epsilon),
                   .weight = norm.weight.data(),
                   .bias = norm.bias.data(),
                   .normed = y.normed ? y.normed + at : nullptr,
                   .bytes = y.bytes ? y.bytes + at : nullptr,
                   .factor = y.factor,
                   .grid = y.grid});
    }
  });
}

}  // namespace flowqat::runtime
