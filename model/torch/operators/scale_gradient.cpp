#include "model/torch/operators/scale_gradient.h"

#include <torch/csrc/autograd/custom_function.h>

namespace flowqat::model {
namespace {

class ScaledGradient : public torch::autograd::Function<ScaledGradient> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            double scale) {
    context->saved_data["scale"] = scale;
    return x.view_as(x);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {gradients[0] * context->saved_data["scale"].toDouble(), {}};
  }
};

}  // namespace

at::Tensor scale_gradient(const at::Tensor& x, double scale) {
  if (scale == 1 || !x.requires_grad()) return x;
  return ScaledGradient::apply(x, scale);
}

}  // namespace flowqat::model
