/// Network's operations on one value.
#include "model/model.h"
#include "model/onnx/network.h"

namespace flowqat::model::onnx_export {

Value Network::activate(Activation activation, const Value& x, const std::string& name) {
  const auto number = [&](const char* role, float value) {
    return graph_.constant(name + role, {}, std::vector<float>{value});
  };
  switch (activation) {
    case Activation::gelu:
      return graph_.node("Gelu", {x}, name);
    case Activation::gelu_tanh:
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
