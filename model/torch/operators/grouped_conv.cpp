#include "model/torch/operators/grouped_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>
#include <vector>

#include "model/torch/operators/cpu_matmul.h"

namespace flowqat::model {
namespace {

struct Geometry {
  int64_t rows, groups, in, out, kernel, padding;  ///< in and out: channels of a group
  int64_t frames;                                  ///< of the input
  int64_t padded() const { return frames + 2 * padding; }
  int64_t windows() const { return padded() - kernel + 1; }
};

/// [rows, channels, frames] -> [rows, groups, before + frames + behind, channels / groups], with
/// zeros before and behind.
at::Tensor grouped(const at::Tensor& x, int64_t groups, int64_t before, int64_t behind) {
  const int64_t rows = x.size(0), channels = x.size(1) / groups, frames = x.size(2);
  at::Tensor y = at::zeros({rows, groups, before + frames + behind, channels}, x.options());
  y.narrow(2, before, frames).copy_(x.view({rows, groups, channels, frames}).transpose(2, 3));
  return y;
}

/// The other way round, all frames.
at::Tensor ungrouped(const at::Tensor& x) {
  return x.permute({0, 2, 1, 3}).reshape({x.size(0), x.size(2), -1}).transpose(1, 2);
}

/// Windows of `kernel` frames of x [frames][channels], one a frame.
Bf16Source windows(const float* x, int64_t count, int64_t channels, int64_t kernel) {
  return {.values = x,
          .lines = count,
          .depth = kernel * channels,
          .line_stride = channels,
          .depth_stride = 1};
}

/// A matrix whose lines lie behind one another.
Bf16Source lines(const float* values, int64_t count, int64_t depth) {
  return {
      .values = values, .lines = count, .depth = depth, .line_stride = depth, .depth_stride = 1};
}

Bf16Source turned(Bf16Source source) {
  std::swap(source.lines, source.depth);
  std::swap(source.line_stride, source.depth_stride);
  return source;
}

/// Calls work(row, group) for all, or with `rows` 1 for every group.
template <class Work>
void for_groups(int64_t rows, int64_t groups, const Work& work) {
  at::parallel_for(0, rows * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) work(i / groups, i % groups);
  });
}

/// `kernel` windows of x [rows, groups, frames, depth / kernel], the first at frame `first`, times
/// weight [groups, out, depth] -> [rows, groups, count, out].
at::Tensor products(const at::Tensor& x, int64_t first, int64_t count, const at::Tensor& weight,
                    int64_t kernel, const std::optional<at::Tensor>& bias, const Grids& grids) {
  const int64_t rows = x.size(0), groups = x.size(1), channels = x.size(3), out = weight.size(1);
  at::Tensor y = at::empty({rows, groups, count, out}, x.options());
  const float* const from = x.const_data_ptr<float>();
  const float* const w = weight.const_data_ptr<float>();
  const float* const added = bias ? bias->const_data_ptr<float>() : nullptr;
  float* const to = y.mutable_data_ptr<float>();
  for_groups(rows, groups, [&](int64_t row, int64_t group) {
    const int64_t at = row * groups + group;
    Bf16Source a = windows(from + (at * x.size(2) + first) * channels, count, channels, kernel);
    Bf16Source b = lines(w + group * out * kernel * channels, out, kernel * channels);
    a.steps = grids.input_steps();
    b.step_a_line = grids.has_step_a_channel();
    b.steps = grids.weight_steps();
    if (b.step_a_line) b.steps += group * out;
    bf16_product_into(to + at * count * out, out, a, b,
                      {.factor = grids.factor(),
                       .factors = b.step_a_line ? b.steps : nullptr,
                       .bias = added ? added + group * out : nullptr});
  });
  return y;
}

class GroupedConv : public torch::autograd::Function<GroupedConv> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            int64_t padding, int64_t groups, const Grids& grids) {
    const Geometry g{x.size(0),      groups,  x.size(1) / groups, weight.size(0) / groups,
                     weight.size(2), padding, x.size(2)};
    const at::Tensor input = grouped(x, groups, padding, padding);
    const at::Tensor w = weight.view({groups, g.out, g.in, g.kernel}).transpose(2, 3).contiguous();
    context->save_for_backward({input, w});
    context->saved_data["geometry"] =
        std::vector<int64_t>{g.rows, g.groups, g.in, g.out, g.kernel, g.padding, g.frames};
    return ungrouped(
        products(input, 0, g.windows(), w.view({groups, g.out, -1}), g.kernel, bias, grids));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const std::vector<int64_t> sizes = context->saved_data["geometry"].toIntVector();
    const Geometry g{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]};
    // Room for the taps that reach beyond the ends.
    const int64_t room = g.kernel - 1;
    const at::Tensor dy = grouped(gradients[0], g.groups, room, room);
    at::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      // Frame f is heard by windows f - kernel + 1 .. f, by the last tap first.
      const at::Tensor flipped =
          saved[1].flip({2}).permute({0, 3, 2, 1}).contiguous().view({g.groups, g.in, -1});
      dx = ungrouped(products(dy, g.padding, g.frames, flipped, g.kernel, {}, {}));
    }
    if (context->needs_input_grad(1)) dw = weight_gradient(saved[0], dy, g);
    if (context->needs_input_grad(2)) db = gradients[0].sum(at::IntArrayRef{0, 2});
    return {dx, dw, db, {}, {}, {}};
  }

 private:
  static at::Tensor weight_gradient(const at::Tensor& input, const at::Tensor& dy,
                                    const Geometry& g) {
    at::Tensor dw = at::empty({g.groups, g.out, g.kernel, g.in}, input.options());
    const float* const x = input.const_data_ptr<float>();
    const float* const gradient = dy.const_data_ptr<float>();
    float* const to = dw.mutable_data_ptr<float>();
    const int64_t depth = g.kernel * g.in;
    for_groups(1, g.groups, [&](int64_t, int64_t group) {
      for (int64_t row = 0; row < g.rows; ++row) {
        const int64_t at = row * g.groups + group;
        const float* const own = gradient + (at * dy.size(2) + g.kernel - 1) * g.out;
        bf16_product_into(to + group * g.out * depth, depth, turned(lines(own, g.windows(), g.out)),
                          turned(windows(x + at * g.padded() * g.in, g.windows(), g.in, g.kernel)),
                          {}, row > 0);
      }
    });
    return dw.transpose(2, 3).reshape({g.groups * g.out, g.in, g.kernel});
  }
};

}  // namespace

bool has_grouped_conv(const at::Tensor& x, const at::Tensor& weight) {
  return cpu_products() == CpuProducts::bf16 && has_cpu_matmul(x, weight);
}

at::Tensor grouped_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        int64_t padding, int64_t groups, const Grids& grids) {
  return GroupedConv::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, padding,
                            groups, grids);
}

}  // namespace flowqat::model
