#include "model/torch/operators/linear.h"

#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>

#include "model/torch/operators/cpu_matmul.h"
#include "model/torch/operators/device_product.h"

namespace flowqat::model {
namespace {

class CpuLinear : public torch::autograd::Function<CpuLinear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const Grids& grids) {
    const at::Tensor rows = x.contiguous().view({-1, x.size(-1)});
    context->save_for_backward({rows, weight});
    context->saved_data["bias"] = bias.has_value();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return cpu_matmul(rows, weight, bias, grids).view(shape);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor dy = gradients[0].contiguous().view({-1, weight.size(0)});
    at::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      std::vector<int64_t> shape = gradients[0].sizes().vec();
      shape.back() = weight.size(1);
      dx = cpu_matmul(dy, weight.t()).view(shape);
    }
    if (context->needs_input_grad(1)) dw = cpu_matmul_transposed(dy, x, &db);
    if (!context->saved_data["bias"].toBool()) {
      db = at::Tensor();
    } else if (!db.defined() && context->needs_input_grad(2)) {
      db = dy.sum(0);
    }
    return {dx, dw, db, {}};
  }
};

}  // namespace

at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const Grids& grids) {
  if (has_device_product(x, weight)) return device_linear(x, weight, bias, grids);
  if (!has_cpu_matmul(x, weight)) return at::linear(x, weight, bias);
  return CpuLinear::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, grids);
}

}  // namespace flowqat::model
