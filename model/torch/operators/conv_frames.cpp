#include "model/torch/operators/conv_frames.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "base/simd/vectorize.h"
#include "model/torch/operators/cpu_matmul.h"

namespace flowqat::model {
namespace {

constexpr int64_t frames_a_task = 64;

struct Geometry {
  int64_t rows, frames, channels, kernel, stride;
  int64_t windows() const { return (frames - kernel) / stride + 1; }
  int64_t window_size() const { return kernel * channels; }
};

/// x [rows, frames, channels] -> [rows * windows, kernel * channels], x's own memory where the
/// windows tile it.
at::Tensor windows_of(const at::Tensor& x, const Geometry& g) {
  const int64_t windows = g.windows(), size = g.window_size();
  const at::Tensor overlapping =
      x.as_strided({g.rows, windows, size}, {g.frames * g.channels, g.stride * g.channels, 1});
  if (overlapping.is_contiguous()) return overlapping.view({g.rows * windows, size});
  at::Tensor y = at::empty({g.rows * windows, size}, x.options());
  const float* const from = x.const_data_ptr<float>();
  float* const to = y.mutable_data_ptr<float>();
  at::parallel_for(0, g.rows * windows, frames_a_task, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t frame = i / windows * g.frames + i % windows * g.stride;
      std::copy_n(from + frame * g.channels, size, to + i * size);
    }
  });
  return y;
}

/// One frame's sum over the windows that hold it.
FLOWQAT_INLINE void add_windows(const float* windows, int64_t frame, const Geometry& g,
                                float* sum) {
  const int64_t last = std::min(frame / g.stride, g.windows() - 1);
  const int64_t first = std::max<int64_t>(0, (frame - g.kernel) / g.stride + 1);
  bool empty = true;
  for (int64_t window = frame < g.kernel ? 0 : first; window <= last; ++window) {
    const int64_t tap = frame - window * g.stride;
    if (tap >= g.kernel) continue;
    const float* part = windows + window * g.window_size() + tap * g.channels;
    if (empty) {
      std::copy_n(part, g.channels, sum);
    } else {
      for (int64_t channel = 0; channel < g.channels; ++channel) sum[channel] += part[channel];
    }
    empty = false;
  }
  if (empty) std::fill_n(sum, g.channels, 0.0f);
}

/// The gradient of windows_of().
at::Tensor sum_windows(const at::Tensor& windows, const Geometry& g) {
  at::Tensor x = at::empty({g.rows, g.frames, g.channels}, windows.options());
  const float* const from = windows.const_data_ptr<float>();
  float* const to = x.mutable_data_ptr<float>();
  at::parallel_for(0, g.rows * g.frames, frames_a_task, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t row = i / g.frames;
      vectorized<add_windows>(from + row * g.windows() * g.window_size(), i % g.frames, g,
                              to + i * g.channels);
    }
  });
  return x;
}

/// With x as [rows, frames, channels] and the weight as [out, kernel * channels].
class ConvFrames : public torch::autograd::Function<ConvFrames> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            int64_t kernel, int64_t stride, const Grids& grids) {
    const Geometry g{x.size(0), x.size(1), x.size(2), kernel, stride};
    const at::Tensor windows = windows_of(x.contiguous(), g);
    context->save_for_backward({windows, weight});
    context->saved_data["geometry"] =
        std::vector<int64_t>{g.rows, g.frames, g.channels, g.kernel, g.stride};
    context->saved_data["bias"] = bias.has_value();
    return cpu_matmul(windows, weight, bias, grids).view({g.rows, g.windows(), weight.size(0)});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const std::vector<int64_t> sizes = context->saved_data["geometry"].toIntVector();
    const Geometry g{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]};
    const at::Tensor dy = gradients[0].contiguous().view({-1, saved[1].size(0)});
    at::Tensor dx, db;
    if (context->needs_input_grad(0)) dx = sum_windows(cpu_matmul(dy, saved[1].t()), g);
    const at::Tensor dw = cpu_matmul_transposed(dy, saved[0], &db);
    if (!context->saved_data["bias"].toBool()) db = at::Tensor();
    return {dx, dw, db, {}, {}, {}};
  }
};

}  // namespace

bool has_conv_frames(const at::Tensor& x, const at::Tensor& weight) {
  return has_cpu_matmul(x, weight) && x.size(2) >= weight.size(2);
}

at::Tensor conv_frames(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, const Grids& grids) {
  const std::optional<at::Tensor> b = bias.defined() ? std::optional(bias) : std::nullopt;
  const at::Tensor taps = weight.permute({0, 2, 1}).reshape({weight.size(0), -1});
  return ConvFrames::apply(x.transpose(1, 2), taps, b, weight.size(2), stride, grids)
      .transpose(1, 2);
}

}  // namespace flowqat::model
