/// Network's operations on one value.
#include <numbers>

#include "model/model.h"
#include "model/onnx/network.h"

namespace flowqat::model::onnx_export {

Value Network::activate(Activation activation, const Value& x, const std::string& name) {
  const auto number = [&](const char* role, float value) {
    return graph_.constant(name + role, {}, std::vector<float>{value});
  };
  switch (activation) {
    case Activation::gelu:
      if (graph_.opset() < 20) return gelu_by_erf(x, name);
      return graph_.node("Gelu", {x}, name);
    case Activation::gelu_tanh:
      if (graph_.opset() < 20) return gelu_by_tanh(x, name);
      return graph_.node("Gelu", {x}, name, {{"approximate", std::string("tanh")}});
    case Activation::relu:
      return graph_.node("Relu", {x}, name);
    case Activation::relu6:
      return graph_.node("Clip", {x, number(".low", 0), number(".high", 6)}, name);
    case Activation::leaky_relu:
      return graph_.node("LeakyRelu", {x}, name, {{"alpha", 0.01F}});
    case Activation::silu:
      return graph_.node("Mul", {x, graph_.node("Sigmoid", {x}, name + "/sigmoid")}, name);
    case Activation::mish:
      if (graph_.opset() < 18) return mish_by_softplus(x, name);
      return graph_.node("Mish", {x}, name);
    case Activation::hardswish:
      return graph_.node("HardSwish", {x}, name);
    case Activation::sigmoid:
      return graph_.node("Sigmoid", {x}, name);
    case Activation::tanh:
      return graph_.node("Tanh", {x}, name);
  }
  throw Error("an activation that has no ONNX operation");
}

Value Network::gelu_by_erf(const Value& x, const std::string& name) {
  const auto number = [&](const char* role, double value) {
    return graph_.constant(name + role, {}, std::vector<float>{static_cast<float>(value)});
  };
  Value y = graph_.node("Div", {x, number(".sqrt_two", std::numbers::sqrt2)}, name + "/scaled");
  y = graph_.node("Erf", {y}, name + "/erf");
  y = graph_.node("Add", {y, number(".one", 1)}, name + "/raised");
  y = graph_.node("Mul", {x, y}, name + "/doubled");
  return graph_.node("Mul", {y, number(".half", 0.5)}, name);
}

Value Network::gelu_by_tanh(const Value& x, const std::string& name) {
  const auto number = [&](const char* role, double value) {
    return graph_.constant(name + role, {}, std::vector<float>{static_cast<float>(value)});
  };
  constexpr double sqrt_two_over_pi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  Value y = graph_.node("Pow", {x, number(".three", 3)}, name + "/cubed");
  y = graph_.node("Mul", {y, number(".cubic", 0.044715)}, name + "/cubic");
  y = graph_.node("Add", {x, y}, name + "/inner");
  y = graph_.node("Mul", {y, number(".linear", sqrt_two_over_pi)}, name + "/scaled");
  y = graph_.node("Tanh", {y}, name + "/tanh");
  y = graph_.node("Add", {y, number(".one", 1)}, name + "/raised");
  const Value half = graph_.node("Mul", {x, number(".half", 0.5)}, name + "/halved");
  return graph_.node("Mul", {half, y}, name);
}

Value Network::mish_by_softplus(const Value& x, const std::string& name) {
  const Value y = graph_.node("Softplus", {x}, name + "/softplus");
  return graph_.node("Mul", {x, graph_.node("Tanh", {y}, name + "/tanh")}, name);
}

Value Network::layer_norm(const Value& x, const std::string& name, int64_t channels,
                          double epsilon) {
  const Value weight =
      graph_.constant(name + ".weight", {channels}, weights_.floats(name + ".weight", {channels}));
  const Value bias =
      graph_.constant(name + ".bias", {channels}, weights_.floats(name + ".bias", {channels}));
  return graph_.node("LayerNormalization", {x, weight, bias}, name,
                     {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(epsilon)}});
}

Value Network::transpose(const Value& x, const std::string& name, const Shape& order) {
  return graph_.node("Transpose", {x}, name, {{"perm", order}});
}

Value Network::reshape(const Value& x, const std::string& name, const Value& shape) {
  return graph_.node("Reshape", {x, shape}, name);
}

Value Network::batch_shape(const std::string& name, const std::vector<int64_t>& sizes) {
  const Value rest = graph_.constant(name + "_sizes", {static_cast<int64_t>(sizes.size())}, sizes);
  return graph_.node("Concat", {rows_, rest}, name, {{"axis", int64_t{0}}});
}

Value Network::as_rows(const Value& x, const std::string& name, int64_t channels) {
  return reshape(x, name,
                 graph_.constant(name + "_shape", {2}, std::vector<int64_t>{-1, channels}));
}

}  // namespace flowqat::model::onnx_export
