#include "model/torch/fast/positional_conv.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "model/torch/int8/float_tile.h"
#include "model/torch/operators/for_tasks.h"

namespace flowqat::model {
namespace {

/// So much of a group's weights stays in the second cache while all frames pass.
constexpr int64_t cached_bytes = 256 * 1024;

}  // namespace

FastPositionalConv::FastPositionalConv(const at::Tensor& weight, const at::Tensor& bias,
                                       int64_t groups)
    : groups_(groups), width_(weight.size(1)), kernel_(weight.size(2)) {
  const at::NoGradGuard no_grad;
  // [groups, out, in, kernel] -> [groups, kernel, in, out]
  const at::Tensor taps = weight.detach()
                              .view({groups_, width_, width_, kernel_})
                              .permute({0, 3, 2, 1})
                              .reshape({groups_, kernel_ * width_, width_});
  std::vector<at::Tensor> tiles;
  for (int64_t group = 0; group < groups_; ++group) {
    for (int64_t column = 0; column < width_; column += tile_columns) {
      const int64_t columns = std::min(tile_columns, width_ - column);
      tiles.push_back(at::constant_pad_nd(taps[group].slice(1, column, column + columns),
                                          {0, padded_columns(columns) - columns})
                          .flatten());
    }
  }
  packed_ = at::cat(tiles).contiguous();
  bias_ = bias.detach().contiguous();
}

at::Tensor FastPositionalConv::run(const at::Tensor& x) const {
  const at::Tensor in = x.contiguous();
  const int64_t rows = in.size(0), frames = in.size(1), channels = in.size(2);
  const at::Tensor y = at::empty(in.sizes(), in.options());
  const float* const from = in.const_data_ptr<float>();
  const float* const bias = bias_.const_data_ptr<float>();
  float* const to = y.mutable_data_ptr<float>();
  const int64_t padding = kernel_ / 2, depth = kernel_ * width_;
  const int64_t group_size = packed_.numel() / groups_;
  for_tasks(rows * groups_, [&](int64_t task) {
    std::vector<float> padded(static_cast<size_t>((frames + kernel_) * width_));
    std::vector<float> sums(static_cast<size_t>((frames + tile_rows) * tile_columns));
    const int64_t row = task / groups_, group = task % groups_;
    const int64_t at = row * frames * channels + group * width_;
    for (int64_t t = 0; t < frames; ++t) {
      std::copy_n(from + at + t * channels, width_, padded.data() + (t + padding) * width_);
    }
    const float* weights = packed_.const_data_ptr<float>() + group * group_size;
    for (int64_t column = 0; column < width_; column += tile_columns) {
      const int64_t columns = std::min(tile_columns, width_ - column);
      const int64_t padded_width = padded_columns(columns);
      const int64_t step = cached_bytes / (padded_width * int64_t{sizeof(float)});
      for (int64_t part = 0; part < depth; part += step) {
        for (int64_t t = 0; t < frames; t += tile_rows) {
          float_tile(std::min(tile_rows, frames - t), padded_width,
                     padded.data() + t * width_ + part, width_, weights + part * padded_width,
                     std::min(step, depth - part), part > 0, sums.data() + t * tile_columns);
        }
      }
      for (int64_t t = 0; t < frames; ++t) {
        float* const line = to + at + t * channels + column;
        for (int64_t c = 0; c < columns; ++c) {
          line[c] =
              sums[static_cast<size_t>(t * tile_columns + c)] + bias[group * width_ + column + c];
        }
      }
      weights += depth * padded_width;
    }
  });
  return y;
}

}  // namespace flowqat::model
