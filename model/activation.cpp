#include "model/activation.h"

#include <utility>

#include "model/model.h"

namespace flowqat::model {
namespace {

constexpr std::pair<const char*, Activation> kActivations[] = {
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_accurate", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"gelu_python_tanh", Activation::gelu_tanh},
    {"relu", Activation::relu},
    {"relu6", Activation::relu6},
    {"leaky_relu", Activation::leaky_relu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"mish", Activation::mish},
    {"hardswish", Activation::hardswish},
    {"sigmoid", Activation::sigmoid},
    {"tanh", Activation::tanh},
};

}  // namespace

Activation activation_of(const std::string& name, const std::string& field) {
  std::string names;
  for (const auto& [known, activation] : kActivations) {
    if (name == known) return activation;
    names += (names.empty() ? "\"" : ", \"") + std::string(known) + "\"";
  }
  throw Error("config.json: field \"" + field + "\" is \"" + name +
              "\", an activation that is not computed here; expected one of " + names);
}

}  // namespace flowqat::model
