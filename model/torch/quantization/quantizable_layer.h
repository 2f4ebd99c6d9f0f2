/// What the layers that can be quantized share, in each of a layer's three states:
///   float           y = conv(x, w) + b
///   fake-quantized  y = fq_out(conv(fq_in(x), fq_w(w)) + b)   (differentiable, after insertion)
///   int8            y = dequantize(int8_conv(quantize(x)))    (after conversion, CPU only)
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/quantization.h"
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"
#include "model/torch/int8/engine_kernel.h"
#include "model/torch/operators/bf16_product.h"
#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {

/// What smoothing (SmoothQuant, arXiv:2211.10438) divides a layer's input by and multiplies its
/// weight by: float32 [in], or undefined where there is none.
using InputFactor = at::Tensor;

/// A layer that learns its grids.
struct FakeQuantized {
  LayerScheme scheme;
  std::shared_ptr<FakeQuantizer> input, weight, output;
  InputFactor input_factor;  ///< on the quantizers' device; never changed in place
  /// The largest magnitude of each input channel so far, float32 [in], while smoothing waits for
  /// its factor; undefined before the first input.
  at::Tensor input_peaks;

  /// Whether every quantizer has seen something. Waits for the device.
  bool observed() const { return input->observed() && weight->observed() && output->observed(); }
};

/// A layer that was converted; on the CPU. Nothing of it changes in place.
struct Int8 {
  LayerScheme scheme;
  std::shared_ptr<const Int8Kernel> kernel;
  InputFactor input_factor;
};

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
  /// [out, in, ...], whatever the state.
  const std::vector<int64_t>& weight_shape() const { return weight_shape_; }
  bool has_bias() const { return has_bias_; }

  bool is_fake_quantized() const { return std::holds_alternative<FakeQuantized>(state_); }
  bool is_int8() const { return std::holds_alternative<Int8>(state_); }
  /// Throw Error in any other state.
  const FakeQuantized& fake_quantized() const;
  const Int8& int8() const;
  /// Throws Error for a float layer.
  const LayerScheme& scheme() const;
  /// Throws Error for any other than a float layer; `action` is what needs one.
  void require_float(const char* action) const;

  /// Quantizers for this layer, on its device: observers on, fake quantization off.
  FakeQuantized new_fake_quantizers(const LayerScheme& scheme) const;
  /// From a float layer; Error for one that is fake-quantized or int8 already.
  void fake_quantize(FakeQuantized state);
  /// Both of the above.
  void insert_fake_quantizers(const LayerScheme& scheme);
  /// Which of the fake quantizers follow what they see: those of input and output, that of the
  /// weight.
  void set_observers(bool activations, bool weights);
  /// What the weight's quantizer will see next, in a fake-quantized layer; else null.
  std::optional<FakeQuantizer::Sight> next_weight() const;
  /// Turning it on computes every scale and zero point from the ranges seen so far; Error if a
  /// quantizer has seen nothing.
  void set_fake_quantization(bool on);

  /// Is told input, weight and output of every forward() until int8, before anything is rounded.
  using Watch = std::function<void(const at::Tensor& input, const at::Tensor& weight,
                                   const at::Tensor& output)>;
  /// Null: nobody is told. Copies of the layer are not watched.
  void set_watch(Watch watch) { watch_ = std::move(watch); }

  /// While on and nothing is rounded, moving ranges are the mean of all that is observed.
  void set_calibrating(bool on);
  /// Whether the scheme smooths and has no factor yet: forward() then looks for the input's peaks
  /// and observes nothing.
  bool awaits_factor() const;
  /// Ends that for layers that hear the same input: one factor for all, from the peaks of the
  /// input and of all their weights, with their alpha. Error for a layer that has heard nothing, or
  /// one of several groups.
  static void choose_factor(const std::vector<QuantizableLayer*>& layers);
  /// Begins calibration anew: fake quantization off.
  void calibrate_again();
  /// Whether input_on_grid() of one is that of the other: both are float, or hold one quantizer.
  bool shares_input_with(const QuantizableLayer& other) const;
  /// Has the input rounded by another's quantizer from here on, or by one that it had before, which
  /// this returns.
  std::shared_ptr<FakeQuantizer> exchange_input_quantizer(std::shared_ptr<FakeQuantizer> other);

  /// Whether this is a fake-quantized layer of which every quantizer has seen something.
  bool observed() const { return is_fake_quantized() && fake_quantized().observed(); }

  /// To int8 with exactly the scales and zero points of the buffers, never recomputed, packed for
  /// the scheme's engine; drops the float weight and moves the bias to the CPU. Error while fake
  /// quantization is off, or when the engine is missing.
  void convert_to_int8();
  /// The same from numbers, whatever the state. They are not kept: packing copies them.
  void make_int8(const LayerScheme& scheme, const Int8Parameters& parameters,
                 const InputFactor& factor);
  /// Makes this layer, of the same shape and in any state, a deep copy of the other on the other's
  /// device. Its parameters are new tensors; packed int8 weights never change and are shared.
  void copy_from(const QuantizableLayer& other);

 protected:
  enum class Norm { none, weight };
  QuantizableLayer(std::string kind, std::vector<int64_t> weight_shape, bool has_bias,
                   Norm norm = Norm::none);
  /// The float operation on given operands, and the grids that they are on, if any.
  virtual at::Tensor compute(const at::Tensor& x, const at::Tensor& weight,
                             const Grids& grids) const = 0;
  virtual Int8Geometry geometry() const = 0;
  at::Tensor run(const at::Tensor& x);

  // The parts of run(), for layers that several of run together. Float layers round nothing.
  at::Tensor input_on_grid(const at::Tensor& x);
  at::Tensor weight_on_grid();
  at::Tensor output_on_grid(const at::Tensor& y);
  /// Those that the last of each rounded to.
  Grids grids() const;
  bool is_watched() const { return watch_ != nullptr; }
  void move_rest(const at::Device& device) override;

 private:
  struct Float {};

  const char* found() const;
  FakeQuantized& require_fake_quantized(const char* action);
  void set_parameters(const at::Tensor& new_weight, const at::Tensor& new_bias);
  void copy_parameters(const QuantizableLayer& other);
  void look_for_peaks(const at::Tensor& x);
  void tell_watch(const at::Tensor& x, const at::Tensor& output) const;
  at::Tensor smoothed_input(const at::Tensor& x, const InputFactor& factor) const;
  at::Tensor smoothed_weight(const InputFactor& factor) const;
  int64_t channel_axis(const at::Tensor& x) const;
  void become_float();

  std::string path_;  ///< until set_path(), the kind of layer
  std::vector<int64_t> weight_shape_;
  bool has_bias_;
  std::variant<Float, FakeQuantized, Int8> state_;
  Watch watch_;
};

}  // namespace flowqat::model
