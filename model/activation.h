/// The activation functions of a wav2vec2, by the names that config.json gives them.
#pragma once
#include <string>

namespace flowqat::model {

/// Those of transformers' ACT2FN that LibTorch computes in one operation.
enum class Activation {
  gelu,       ///< the exact erf form: "gelu", "gelu_python"
  gelu_tanh,  ///< the tanh form: "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh",
              ///< "gelu_python_tanh"
  relu,
  relu6,
  leaky_relu,  ///< slope 0.01
  silu,        ///< also "swish"
  mish,
  hardswish,
  sigmoid,
  tanh,
};

/// Throws Error for any other name, naming field, value and the names there are.
Activation activation_of(const std::string& name, const std::string& field);

}  // namespace flowqat::model
