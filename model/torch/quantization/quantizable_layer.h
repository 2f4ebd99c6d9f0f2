/// What the layers that can be quantized share, in each of a layer's three states:
///   float           y = conv(x, w) + b
///   fake-quantized  y = fq_out(conv(fq_in(x), fq_w(w)) + b)   (differentiable, after insertion)
///   int8            y = dequantize(int8_conv(quantize(x)))    (after conversion, CPU only)
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/quantization.h"
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"
#include "model/torch/int8/engine_kernel.h"
#include "model/torch/int8/product.h"
#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {

/// Holds the parameters "weight" [out, ...] (under weight norm "weight_g" and "weight_v" instead)
/// and, where there is one, "bias" [out], and takes them
/// from float over fake quantization to int8: integers q stand for (q - zero_point) scale, products
/// are summed in int32 and rescaled to the output's grid (Jacob et al. 2018, arXiv:1712.05877,
/// section 2.2). Not thread-safe while it changes state; forward() with observers off may run on
/// several threads at once. Failures are model::Error and begin with path().
class QuantizableLayer : public Module {
 public:
  at::Tensor weight;  ///< float32; undefined once int8, and under weight norm
  at::Tensor bias;    ///< float32; undefined in a layer without bias
  /// Weight norm (arXiv:1602.07868): w = g v / ||v||, the norm over all axes but the last, a gain
  /// for each place of that one. Undefined without it, and once it is folded.
  at::Tensor weight_g, weight_v;

  /// The weight whatever it is made of, [out, ...]. Error once int8.
  at::Tensor float_weight() const;
  /// From weight norm to a plain "weight" of the same value.
  void fold_weight_norm();
  bool has_weight_norm() const { return weight_v.defined(); }

  /// What messages call this layer, such as "wav2vec2.encoder.layers.0.attention.q_proj".
  void set_path(std::string path) { path_ = std::move(path); }
  const std::string& path() const { return path_; }

  /// Puts a fake quantizer on input, weight and output: observers on, fake quantization off.
  /// Throws Error for a layer that is fake-quantized or int8 already.
  void insert_fake_quantizers(const LayerScheme& scheme);
  /// Which of the fake quantizers follow what they see: those of input and output, that of the
  /// weight.
  void set_observers(bool activations, bool weights);
  /// Turning it on computes every scale and zero point from the ranges seen so far; Error if a
  /// quantizer has seen nothing.
  void set_fake_quantization(bool on);

  /// Begins calibration anew: fake quantization off.
  void calibrate_again();

  bool is_fake_quantized() const { return input_quantizer_ != nullptr; }
  bool is_int8() const { return int8_ != nullptr; }
  /// Throws Error for a float layer.
  const LayerScheme& scheme() const;
  /// Whether every quantizer of a fake-quantized layer has seen something. Waits for the device.
  bool observed() const;

  /// To int8 with exactly the scales and zero points of the buffers, never recomputed, packed for
  /// the scheme's engine; drops the float weight and moves the bias to the CPU. Error while fake
  /// quantization is off, or when the engine is missing.
  void convert_to_int8();

  /// An int8 layer from here on runs its fast product rather than its engine's, if there is one for
  /// it; only where has_vnni(). Nothing happens to other layers.
  void use_fast_product(bool on);
  /// Null unless forward() is no more than this product's run().
  std::shared_ptr<const FastInt8> fast() const { return input_factor_.defined() ? nullptr : fast_; }

  /// Null for a float layer; else all that load_fake_quantization() or load_int8() needs besides
  /// the tensors. Floats are exact. Waits for the device.
  ///   fake-quantized: {"scheme": {...}, "fake_quantization": true, "observers": {"activations":
  ///     false, "weights": true}, "input": Q, "weight": Q, "output": Q, "input_factor": F} where
  ///     Q = {"min", "max", "scale", "zero_point", "log_scale"}: numbers, or arrays of [out] per
  ///     channel; min and max are null before anything was seen, log_scale is null unless the step
  ///     is learned; F is null or an array of [in], a number where that is 1: what smoothing
  ///     divides the input by
  ///   int8: {"scheme": {...}, "bits": 8, "input": {"scale", "zero_point"}, "weight": {"scale",
  ///     "zero_point"}, "output": {"scale", "zero_point"}, "input_factor": F}; per channel, the
  ///     weight's "scale" is missing (it travels as a tensor) and its "zero_point" is 0 or an array
  ///     of [out]
  ///   scheme: all fields of LayerScheme
  nlohmann::json state() const;

  /// The int8 layer's weight, int8 in the float weight's shape; scale float32 and zero point int32,
  /// [1] or, per channel, [out] (0 unless a channel's weights have all the same sign). On the CPU.
  at::Tensor int8_weight() const;
  at::Tensor weight_scale() const;
  at::Tensor weight_zero_point() const;

  /// From a float layer to what state() described. Error names path(), key, expected and found.
  void load_fake_quantization(const nlohmann::json& state);
  /// `weight_scale` is read per channel only; per tensor the state holds it. The tensors are not
  /// kept: packing copies them.
  void load_int8(const nlohmann::json& state, const at::Tensor& int8_weight,
                 const at::Tensor& weight_scale, const std::optional<at::Tensor>& bias);

  /// Makes this layer, of the same shape and in any state, a deep copy of the other on the other's
  /// device. Its parameters are new tensors; packed int8 weights never change and are shared.
  void copy_from(const QuantizableLayer& other);

 protected:
  enum class Norm { none, weight };
  QuantizableLayer(std::string kind, std::vector<int64_t> weight_shape, bool has_bias,
                   Norm norm = Norm::none);
  /// The float operation on given operands.
  virtual at::Tensor compute(const at::Tensor& x, const at::Tensor& weight) const = 0;
  virtual Int8Geometry geometry() const = 0;
  at::Tensor run(const at::Tensor& x);

 private:
  void require_float(const char* action) const;
  void require_fake_quantized(const char* action) const;
  void set_parameters(const at::Tensor& new_weight, const at::Tensor& new_bias);
  void copy_parameters(const QuantizableLayer& other);
  void choose_input_factor(const at::Tensor& x);
  /// Divided, and the weight multiplied, by the input factor where there is one.
  at::Tensor smoothed_input(const at::Tensor& x) const;
  at::Tensor smoothed_weight() const;
  int64_t channel_axis(const at::Tensor& x) const;
  void remove_fake_quantizers();
  void make_int8(const Int8Parameters& parameters);
  const Int8Kernel& int8() const;

  std::string path_;  ///< until set_path(), the kind of layer
  std::vector<int64_t> weight_shape_;
  bool has_bias_;
  std::optional<LayerScheme> scheme_;  ///< of every layer but a float one
  std::shared_ptr<FakeQuantizer> input_quantizer_, weight_quantizer_, output_quantizer_;
  at::Tensor input_factor_;  ///< float32 [in], or undefined
  std::shared_ptr<const Int8Kernel> int8_;
  std::shared_ptr<const FastInt8> fast_;  ///< null: int8_ runs
};

}  // namespace flowqat::model
