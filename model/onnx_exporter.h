/// Models as ONNX files. Behind this face stand ONNX's definitions and protobuf, in a shared
/// library that is opened when the first file is written. LibTorch brings a protobuf of its own: a
/// process opens one of the two libraries, not both.
#pragma once
#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "model/config.h"
#include "model/tensor.h"

namespace flowqat::model {

class OnnxExporter {
 public:
  /// Takes a file's bytes, piece by piece.
  using Sink = std::function<void(std::span<const std::byte>)>;
  virtual ~OnnxExporter() = default;

  /// Writes the model whose state dict is `tensors` as an ONNX file: input "input_values" [batch,
  /// samples] float32, normalized speech; where the configuration has an attention mask, input
  /// "attention_mask" [batch, samples] int64; output "logits" [batch, frames, vocabulary].
  /// `quantization` is null for a float32 model, or what quantization.json of an int8 one holds:
  /// its layers then stand between QuantizeLinear and DequantizeLinear nodes with the very scales
  /// and zero points. Throws Error for a fake-quantized model, tensors that are missing or of
  /// another shape, a malformed quantization, or a model that is too large for one ONNX file
  /// (2 GiB); passes on what `sink` throws.
  virtual void write(const Config& config, const Tensors& tensors,
                     const nlohmann::json& quantization, const Sink& sink) const = 0;
};

const OnnxExporter& onnx_exporter();

}  // namespace flowqat::model
