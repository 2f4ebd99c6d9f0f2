#include "model/torch/operators/device_product.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>

namespace flowqat::model {
namespace {

constexpr auto kNone = at::ScalarType::Undefined;
std::atomic<at::ScalarType> factor_type = kNone;

/// A matrix's values in 16 bits, or the integers that it has on its grid. In float32 value / step
/// is one of those but for a part of some 1e-7; both types have the integer itself, and no other
/// value as near as a part of 1 / 2048: rounding to them, in the same pass, finds it.
at::Tensor factors(const at::Tensor& values, const at::Tensor& step) {
  if (!step.defined()) return values.to(factor_type);
  at::Tensor integers = at::empty(values.sizes(), values.options().dtype(factor_type));
  return at::div_out(integers, values, step);
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) { return at::mm(a, b, at::kFloat); }

/// y = x wᵀ + b of x [rows, in] and w [out, in], and its gradients.
struct Product {
  at::Tensor x, weight;  ///< factors of x; the weight's values
  Grids grids;

  at::Tensor forward(const std::optional<at::Tensor>& bias) const {
    const at::Tensor step =
        grids.weight_step.defined() ? grids.weight_step.view({-1, 1}) : grids.weight_step;
    at::Tensor y = product(x, factors(weight, step).t());
    if (!grids.input_step.defined()) return bias ? y.add_(*bias) : y;
    const at::Tensor scale = grids.weight_step * grids.input_step;
    return bias ? at::addcmul(*bias, y, scale) : y.mul_(scale);
  }

  /// What backward() needs.
  void keep(torch::autograd::AutogradContext* context, bool has_bias) const {
    context->save_for_backward({x, weight, grids.input_step});
    context->saved_data["bias"] = has_bias;
  }
};

/// Those of x [rows, in], weight and bias where they are wanted, else undefined; the operands of
/// the forward count x, weight and bias from 0.
struct Gradients {
  at::Tensor x, weight, bias;

  /// `dy` in the shape of y, whatever stands before its last axis.
  Gradients(torch::autograd::AutogradContext* context, const at::Tensor& dy) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &its_x = saved[0], &its_weight = saved[1], &input_step = saved[2];
    const at::Tensor rows = dy.reshape({-1, its_weight.size(0)}), factors = rows.to(factor_type);
    if (context->needs_input_grad(0)) x = product(factors, its_weight.to(factor_type));
    if (context->needs_input_grad(1)) {
      weight = product(factors.t(), its_x);
      if (input_step.defined()) weight.mul_(input_step);
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) bias = rows.sum(0);
  }
};

class DeviceLinear : public torch::autograd::Function<DeviceLinear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const Grids& grids) {
    const Product its{factors(x.reshape({-1, x.size(-1)}), grids.input_step), weight, grids};
    its.keep(context, bias.has_value());
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return its.forward(bias).view(shape);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Gradients of(context, gradients[0]);
    std::vector<int64_t> shape = gradients[0].sizes().vec();
    shape.back() = -1;
    return {of.x.defined() ? of.x.view(shape) : of.x, of.weight, of.bias, {}};
  }
};

/// With x as [rows, frames, channels] and the weight as [out, kernel * channels].
class DeviceConv : public torch::autograd::Function<DeviceConv> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            int64_t kernel, int64_t stride, const Grids& grids) {
    const int64_t rows = x.size(0), frames = x.size(1), channels = x.size(2);
    const int64_t windows = (frames - kernel) / stride + 1, size = kernel * channels;
    const at::Tensor lying = factors(x, grids.input_step).contiguous();
    const Product its{
        lying.as_strided({rows, windows, size}, {frames * channels, stride * channels, 1})
            .reshape({rows * windows, size}),
        weight, grids};
    its.keep(context, bias.has_value());
    context->saved_data["geometry"] =
        std::vector<int64_t>{rows, frames, channels, windows, kernel, stride};
    return its.forward(bias).view({rows, windows, weight.size(0)});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const Gradients of(context, gradients[0]);
    const at::Tensor dx =
        of.x.defined() ? summed(of.x, context->saved_data["geometry"].toIntVector()) : of.x;
    return {dx, of.weight, of.bias, {}, {}, {}};
  }

 private:
  /// Each frame's sum over the windows that hold it, a tap at a time.
  static at::Tensor summed(const at::Tensor& windows, const std::vector<int64_t>& geometry) {
    const int64_t rows = geometry[0], frames = geometry[1], channels = geometry[2],
                  count = geometry[3], kernel = geometry[4], stride = geometry[5];
    const at::Tensor taps = windows.view({rows, count, kernel, channels});
    at::Tensor x = at::zeros({rows, frames, channels}, windows.options());
    for (int64_t tap = 0; tap < kernel; ++tap) {
      x.slice(1, tap, tap + stride * (count - 1) + 1, stride).add_(taps.select(2, tap));
    }
    return x;
  }
};

std::optional<at::Tensor> maybe(const at::Tensor& bias) {
  return bias.defined() ? std::optional(bias) : std::nullopt;
}

}  // namespace

void use_device_factors(std::optional<at::ScalarType> type) { factor_type = type.value_or(kNone); }

std::optional<at::ScalarType> device_factors() {
  const at::ScalarType type = factor_type;
  return type == kNone ? std::nullopt : std::optional(type);
}

bool has_device_product(const at::Tensor& x, const at::Tensor& weight) {
  return factor_type != kNone && !x.is_cpu() && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && x.numel() > 0;
}

at::Tensor device_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const Grids& grids) {
  return DeviceLinear::apply(x, weight, maybe(bias), grids);
}

at::Tensor device_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, const Grids& grids) {
  const at::Tensor taps = weight.permute({0, 2, 1}).reshape({weight.size(0), -1});
  return DeviceConv::apply(x.transpose(1, 2), taps, maybe(bias), weight.size(2), stride, grids)
      .transpose(1, 2);
}

}  // namespace flowqat::model
