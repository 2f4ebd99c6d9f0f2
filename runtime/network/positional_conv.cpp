#include "runtime/network/positional_conv.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace flowqat::runtime {

PositionalConv::PositionalConv(const Kernels& kernels, const model::Config& config,
                               Weights& weights)
    : kernel_(config.num_conv_pos_embeddings),
      width_(config.hidden_size / config.num_conv_pos_embedding_groups) {
  const std::string name = "wav2vec2.encoder.pos_conv_embed.conv";
  const WeightShape shape{
      .out = config.hidden_size, .in = width_, .kernel = kernel_, .is_convolution = true};
  for (const LayerNumbers& part :
       weights.groups(name, shape, config.num_conv_pos_embedding_groups)) {
    groups_.emplace_back(kernels, part);
    groups_.back().set_output(config.feat_extract_activation, {});
  }
}

void PositionalConv::add(Context& context, const float* x, int64_t frames, float* y) const {
  const Timed timed(context.clock, "positional convolution");
  const Scope scope(context.memory);
  const auto hidden = static_cast<int64_t>(groups_.size()) * width_;
  const int64_t padded_frames = frames + kernel_, padding = kernel_ / 2;
  const Wanted& wanted = groups_[0].wanted();
  // Each group's channels for themselves, so that a window is one line.
  const int64_t size = padded_frames * width_;
  const Values padded =
      take_values(context.memory, wanted, size * static_cast<int64_t>(groups_.size()));
  context.threads.run(static_cast<int64_t>(groups_.size()), [&](int64_t group, int) {
    if (padded.bytes) {
      uint8_t* const to = padded.bytes + group * size;
      std::memset(to, wanted.grid->zero_point, static_cast<size_t>(size));
      for (int64_t t = 0; t < frames; ++t) {
        context.kernels.bytes.quantize(x + t * hidden + group * width_, nullptr, width_,
                                       *wanted.grid, to + (t + padding) * width_);
      }
    } else {
      float* const to = padded.floats + group * size;
      std::fill_n(to, size, 0.0f);
      for (int64_t t = 0; t < frames; ++t) {
        std::copy_n(x + t * hidden + group * width_, width_, to + (t + padding) * width_);
      }
    }
  });
  for (size_t group = 0; group < groups_.size(); ++group) {
    const auto at = static_cast<int64_t>(group) * size;
    const Values from{padded.floats ? padded.floats + at : nullptr,
                      padded.bytes ? padded.bytes + at : nullptr};
    groups_[group].run(context, from, frames, width_,
                       {y + static_cast<int64_t>(group) * width_, nullptr}, hidden);
  }
  for (int64_t i = 0; i < frames * hidden; ++i) y[i] += x[i];
}

}  // namespace flowqat::runtime
