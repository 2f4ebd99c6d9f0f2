#include "runtime/network/feature_extractor.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace flowqat::runtime {
namespace {

constexpr int64_t frames_a_task = 512;

std::string name_of(size_t index) {
  return "wav2vec2.feature_extractor.conv_layers." + std::to_string(index);
}

}  // namespace

FeatureExtractor::Stage FeatureExtractor::stage_of(const Kernels& kernels,
                                                   const model::Config& config, Weights& weights,
                                                   size_t index) {
  const int64_t in = index == 0 ? 1 : config.conv_dim[index - 1];
  const int64_t out = config.conv_dim[index], kernel = config.conv_kernel[index];
  const std::string name = name_of(index);
  Stage stage{
      .layer = Layer(kernels, weights.layer(name + ".conv", {.out = out,
                                                             .in = in,
                                                             .kernel = kernel,
                                                             .is_convolution = true,
                                                             .has_bias = config.conv_bias})),
      .in = in,
      .kernel = kernel,
      .stride = config.conv_stride[index],
      .group_norm = {},
      .layer_norm = {},
      .activation = config.feat_extract_activation,
      .next = {}};
  // Both norms have PyTorch's epsilon of 1e-5: transformers gives them none, whatever
  // layer_norm_eps says.
  const bool over_channels = config.feat_extract_norm == model::ConvolutionNorm::layer;
  if (over_channels || index == 0) {
    std::vector<float> weight = weights.floats(name + ".layer_norm.weight", {out});
    std::vector<float> bias = weights.floats(name + ".layer_norm.bias", {out});
    if (over_channels) {
      stage.layer_norm = LayerNorm{std::move(weight), std::move(bias), 1e-5f};
    } else {
      stage.group_norm = GroupNorm{std::move(weight), std::move(bias), 1e-5};
    }
  }
  return stage;
}

FeatureExtractor::FeatureExtractor(const Kernels& kernels, const model::Config& config,
                                   Weights& weights) {
  for (size_t i = 0; i < config.conv_dim.size(); ++i) {
    stages_.push_back(stage_of(kernels, config, weights, i));
  }
  for (size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    if (i + 1 < stages_.size()) stage.next = stages_[i + 1].layer.wanted();
    if (!stage.group_norm && !stage.layer_norm) {
      stage.layer.set_output(stage.activation, stage.next);
    } else if (stage.layer.is_int8()) {
      stage.layer.set_output({}, {stage.layer.output_grid(), nullptr});
    } else {
      stage.layer.set_output({}, {});
    }
  }
}

Values FeatureExtractor::norm_bytes_over_time(Context& context, Stack& to, const Stage& stage,
                                              const uint8_t* x, int64_t frames) {
  const int64_t channels = stage.layer.out();
  const ByteGrid& grid = stage.layer.output_grid();
  const Values y = take_values(to, stage.next, frames * channels);
  const Scope scope(context.memory);
  const int64_t tasks = (frames + frames_a_task - 1) / frames_a_task;
  auto* const sums = context.memory.take<uint32_t>(2 * tasks * channels);
  std::fill_n(sums, 2 * tasks * channels, 0u);
  context.threads.run(tasks, [&](int64_t task, int) {
    const int64_t begin = task * frames_a_task;
    uint32_t* const sum = sums + 2 * task * channels;
    context.kernels.bytes.add_moments(x + begin * channels, std::min(frames_a_task, frames - begin),
                                      channels, sum, sum + channels);
  });
  // A table a channel: its norm, the activation and the next grid are a function of one byte.
  const bool to_bytes = y.bytes != nullptr;
  auto* const float_tables = to_bytes ? nullptr : context.memory.take<float>(channels * 256);
  auto* const byte_tables = to_bytes ? context.memory.take<uint8_t>(channels * 256) : nullptr;
  constexpr int64_t channels_a_task = 16;
  const GroupNorm& norm = *stage.group_norm;
  context.threads.run((channels + channels_a_task - 1) / channels_a_task, [&](int64_t task, int) {
    const int64_t end = std::min(channels, (task + 1) * channels_a_task);
    for (int64_t c = task * channels_a_task; c < end; ++c) {
      uint64_t sum = 0, square = 0;
      for (int64_t part = 0; part < tasks; ++part) {
        sum += sums[2 * part * channels + c];
        square += sums[(2 * part + 1) * channels + c];
      }
      const auto at = static_cast<size_t>(c);
      const double mean = static_cast<double>(sum) / static_cast<double>(frames);
      const double spread = static_cast<double>(square) / static_cast<double>(frames) - mean * mean;
      const double scale = double{grid.scale};
      const double factor =
          norm.weight[at] / std::sqrt(std::max(spread, 0.0) * scale * scale + norm.epsilon);
      const double shift = norm.bias[at] - (mean - grid.zero_point) * scale * factor;
      float table[256];
      for (int q = 0; q < 256; ++q) {
        table[q] = static_cast<float>((q - grid.zero_point) * scale * factor + shift);
      }
      activate(context.kernels, stage.activation, table, 256);
      if (!to_bytes) {
        std::copy_n(table, 256, float_tables + c * 256);
        continue;
      }
      const float next_factor = stage.next.factor ? (*stage.next.factor)[at] : 1.0f;
      for (int q = 0; q < 256; ++q) {
        byte_tables[c * 256 + q] = to_byte(table[q] * next_factor, *stage.next.grid);
      }
    }
  });
  context.threads.run(tasks, [&](int64_t task, int) {
    const int64_t end = std::min(frames, (task + 1) * frames_a_task);
    for (int64_t t = task * frames_a_task; t < end; ++t) {
      const uint8_t* const from = x + t * channels;
      if (to_bytes) {
        uint8_t* const line = y.bytes + t * channels;
        for (int64_t c = 0; c < channels; ++c) line[c] = byte_tables[c * 256 + from[c]];
      } else {
        float* const line = y.floats + t * channels;
        for (int64_t c = 0; c < channels; ++c) line[c] = float_tables[c * 256 + from[c]];
      }
    }
  });
  return y;
}

Values FeatureExtractor::norm_floats_over_time(Context& context, Stack& to, const Stage& stage,
                                               const float* x, int64_t frames) {
  const int64_t channels = stage.layer.out();
  const Values y = take_values(to, stage.next, frames * channels);
  const Scope scope(context.memory);
  const int64_t tasks = (frames + frames_a_task - 1) / frames_a_task;
  auto* const sums = context.memory.take<double>(2 * tasks * channels);
  std::fill_n(sums, 2 * tasks * channels, 0.0);
  context.threads.run(tasks, [&](int64_t task, int) {
    double* const sum = sums + 2 * task * channels;
    double* const square = sum + channels;
    const int64_t end = std::min(frames, (task + 1) * frames_a_task);
    for (int64_t t = task * frames_a_task; t < end; ++t) {
      for (int64_t c = 0; c < channels; ++c) {
        const double value = double{x[t * channels + c]};
        sum[c] += value;
        square[c] += value * value;
      }
    }
  });
  auto* const factor = context.memory.take<float>(channels);
  auto* const shift = context.memory.take<float>(channels);
  const GroupNorm& norm = *stage.group_norm;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, square = 0;
    for (int64_t part = 0; part < tasks; ++part) {
      sum += sums[2 * part * channels + c];
      square += sums[(2 * part + 1) * channels + c];
    }
    const auto at = static_cast<size_t>(c);
    const double mean = sum / static_cast<double>(frames);
    const double variance = std::max(square / static_cast<double>(frames) - mean * mean, 0.0);
    const double scale = norm.weight[at] / std::sqrt(variance + norm.epsilon);
    factor[c] = static_cast<float>(scale);
    shift[c] = static_cast<float>(norm.bias[at] - mean * scale);
  }
  context.threads.run(tasks, [&](int64_t task, int slot) {
    Stack& scratch = context.scratch[static_cast<size_t>(slot)];
    const Scope line_scope(scratch);
    float* const line = scratch.take<float>(channels);
    const int64_t end = std::min(frames, (task + 1) * frames_a_task);
    for (int64_t t = task * frames_a_task; t < end; ++t) {
      for (int64_t c = 0; c < channels; ++c) line[c] = x[t * channels + c] * factor[c] + shift[c];
      activate(context.kernels, stage.activation, line, channels);
      if (y.floats) std::copy_n(line, channels, y.floats + t * channels);
      if (y.bytes) {
        context.kernels.bytes.quantize(line, stage.next.factors(), channels, *stage.next.grid,
                                       y.bytes + t * channels);
      }
    }
  });
  return y;
}

Values FeatureExtractor::norm_over_channels(Context& context, Stack& to, const Stage& stage,
                                            const Values& x, int64_t frames) {
  const int64_t channels = stage.layer.out();
  const Values y = take_values(to, stage.next, frames * channels);
  const Scope scope(context.memory);
  auto* const normed = context.memory.take<float>(frames * channels);
  Summands summands{.floats = x.floats, .bytes = x.bytes, .grid = {}};
  if (x.bytes) summands.grid = stage.layer.output_grid();
  add_norm(context, *stage.layer_norm, summands, frames, {.normed = normed, .grid = {}});
  const int64_t tasks = (frames + frames_a_task - 1) / frames_a_task;
  context.threads.run(tasks, [&](int64_t task, int) {
    const int64_t begin = task * frames_a_task;
    activate(context.kernels, stage.activation, normed + begin * channels,
             std::min(frames_a_task, frames - begin) * channels);
  });
  to_wanted(context, normed, frames, channels, stage.next, y);
  return y;
}

Values FeatureExtractor::run_stage(Context& context, Stack& to, const Stage& stage, const Values& x,
                                   int64_t frames) {
  const int64_t out = stage.layer.out();
  const char* const product = stage.in == 1 ? "convolution 0" : "convolutions 1 and up";
  if (!stage.group_norm && !stage.layer_norm) {
    const Values y = take_values(to, stage.next, frames * out);
    const Timed timed(context.clock, product);
    stage.layer.run(context, x, frames, stage.stride * stage.in, y, out);
    return y;
  }
  Values plain;
  if (stage.layer.is_int8()) {
    plain.bytes = to.take<uint8_t>(frames * out);
  } else {
    plain.floats = to.take<float>(frames * out);
  }
  {
    const Timed timed(context.clock, product);
    stage.layer.run(context, x, frames, stage.stride * stage.in, plain, out);
  }
  const Timed timed(context.clock, "norms between convolutions");
  if (stage.layer_norm) return norm_over_channels(context, to, stage, plain, frames);
  return plain.bytes ? norm_bytes_over_time(context, to, stage, plain.bytes, frames)
                     : norm_floats_over_time(context, to, stage, plain.floats, frames);
}

float* FeatureExtractor::run(Context& context, const float* samples, int64_t count,
                             int64_t& frames) const {
  // A stage's output takes the place of the input of the stage before, which nobody reads any more.
  // The last one is to lie in the context's memory.
  const Stack::Mark mark = context.memory.mark();
  const auto stack_of = [&](size_t stage) -> Stack& {
    const bool is_spare = (stages_.size() - stage) % 2 == 1;
    if (is_spare) {
      context.spare.clear();
    } else {
      context.memory.release(mark);
    }
    return is_spare ? context.spare : context.memory;
  };
  frames = count;
  Values x = take_values(stack_of(0), stages_[0].layer.wanted(), count);
  to_wanted(context, samples, count, 1, stages_[0].layer.wanted(), x);
  for (size_t i = 0; i < stages_.size(); ++i) {
    frames = (frames - stages_[i].kernel) / stages_[i].stride + 1;
    x = run_stage(context, stack_of(i + 1), stages_[i], x, frames);
  }
  return x.floats;
}

}  // namespace flowqat::runtime
