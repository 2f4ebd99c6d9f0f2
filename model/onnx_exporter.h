/// Models as ONNX files. Behind this face stand ONNX's definitions and protobuf, in a shared
/// library that is opened when the first file is written. LibTorch brings a protobuf of its own: a
/// process opens one of the two libraries, not both.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "model/config.h"
#include "model/tensor.h"

namespace flowqat::model {

/// The accepted operator sets. 17 is the oldest with LayerNormalization; the newest is the last
/// that the tests run.
constexpr int64_t kOldestOpset = 17, kNewestOpset = 25;

/// What a file may differ in.
struct OnnxForm {
  int64_t opset = kOldestOpset;
  /// The weights of int8 layers. exact: int8 where a kernel that adds pairs of products in 16 bits
  /// (x86 without VNNI) cannot saturate, else uint8 with a zero point 128 higher, for which
  /// runtimes take an exact kernel. int8: always, which is faster with VNNI and wrong without.
  enum class Weights { exact, int8 } weights = Weights::exact;
  /// The type of the input "attention_mask": what transformers' processors give is int32.
  enum class Mask { int32, int64 } mask = Mask::int32;
};

class OnnxExporter {
 public:
  /// Takes a file's bytes, piece by piece.
  using Sink = std::function<void(std::span<const std::byte>)>;
  virtual ~OnnxExporter() = default;

  /// Writes the model whose state dict is `tensors` as an ONNX file: input "input_values" [batch,
  /// samples] float32, normalized speech; where the configuration has an attention mask, input
  /// "attention_mask" [batch, samples]; output "logits" [batch, frames, vocabulary].
  /// `quantization` is null for a float32 model, or what quantization.json of an int8 one holds:
  /// its layers then stand between QuantizeLinear and DequantizeLinear nodes with the very scales
  /// and zero points. Throws Error for a fake-quantized model, tensors that are missing or of
  /// another shape, a malformed quantization, an opset that is not accepted, or a model that is too
  /// large for one ONNX file (2 GiB); passes on what `sink` throws. Returns whether sums can
  /// saturate on x86 processors without VNNI, which Weights::int8 allows.
  virtual bool write(const Config& config, const Tensors& tensors,
                     const nlohmann::json& quantization, const OnnxForm& form,
                     const Sink& sink) const = 0;
};

const OnnxExporter& onnx_exporter();

}  // namespace flowqat::model
