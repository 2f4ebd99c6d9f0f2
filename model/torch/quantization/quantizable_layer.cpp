#include "model/torch/quantization/quantizable_layer.h"

#include <ATen/ops/_weight_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/util/StringUtil.h>

#include <utility>

#include "model/model.h"

namespace flowqat::model {
namespace {

ActivationScale trained_scale(const FakeQuantizer& quantizer) {
  return {quantizer.scale().item<float>(), quantizer.zero_point().item<int>()};
}

}  // namespace

QuantizableLayer::QuantizableLayer(std::string kind, std::vector<int64_t> weight_shape,
                                   bool has_bias, Norm norm)
    : path_(std::move(kind)), weight_shape_(std::move(weight_shape)), has_bias_(has_bias) {
  if (norm == Norm::weight) {
    std::vector<int64_t> gains(weight_shape_.size(), 1);
    gains.back() = weight_shape_.back();
    weight_g = register_parameter("weight_g", at::ones(gains));
    weight_v = register_parameter("weight_v", at::ones(weight_shape_));
    if (has_bias) bias = register_parameter("bias", at::zeros({weight_shape_[0]}));
    return;
  }
  set_parameters(at::zeros(weight_shape_), has_bias ? at::zeros({weight_shape_[0]}) : at::Tensor());
}

at::Tensor QuantizableLayer::float_weight() const {
  if (has_weight_norm()) return at::_weight_norm(weight_v, weight_g, weight_v.dim() - 1);
  if (!weight.defined()) throw Error(path_ + ": an int8 layer has no float weight");
  return weight;
}

void QuantizableLayer::fold_weight_norm() {
  if (!has_weight_norm()) return;
  const at::NoGradGuard no_grad;
  set_parameters(float_weight(), bias.defined() ? bias.detach() : bias);
}

void QuantizableLayer::set_parameters(const at::Tensor& new_weight, const at::Tensor& new_bias) {
  unregister_parameters();
  weight = weight_g = weight_v = bias = at::Tensor();
  if (new_weight.defined()) weight = register_parameter("weight", new_weight);
  const bool trainable = new_weight.defined();
  if (new_bias.defined()) bias = register_parameter("bias", new_bias, trainable);
}

void QuantizableLayer::require_float(const char* action) const {
  if (!is_fake_quantized() && !is_int8()) return;
  throw Error(path_ + ": expected a float layer to " + action + ", found " +
              (is_int8() ? "an int8 one" : "a fake-quantized one"));
}

void QuantizableLayer::require_fake_quantized(const char* action) const {
  if (is_fake_quantized()) return;
  throw Error(path_ + ": expected a fake-quantized layer to " + action + ", found " +
              (is_int8() ? "an int8 one" : "a float one"));
}

const LayerScheme& QuantizableLayer::scheme() const {
  if (!scheme_) throw Error(path_ + ": a float layer has no quantization scheme");
  return *scheme_;
}

void QuantizableLayer::insert_fake_quantizers(const LayerScheme& scheme) {
  require_float("insert fake quantizers");
  if (!(scheme.averaging_constant > 0 && scheme.averaging_constant <= 1))
    throw Error(path_ + ": averaging constant: expected above 0 and at most 1, found " +
                std::to_string(scheme.averaging_constant));
  const auto activation = FakeQuantizerOptions::activation(scheme);
  const int64_t channels = scheme.per_channel_weights ? weight_shape_[0] : 0;
  const auto make = [&](const char* name, const FakeQuantizerOptions& options) {
    auto quantizer = register_module(name, std::make_shared<FakeQuantizer>(options));
    quantizer->to(float_weight().device());
    return quantizer;
  };
  input_quantizer_ = make("input_fake_quantizer", activation);
  weight_quantizer_ = make("weight_fake_quantizer", FakeQuantizerOptions::weight(scheme, channels));
  output_quantizer_ = make("output_fake_quantizer", activation);
  scheme_ = scheme;
}

void QuantizableLayer::remove_fake_quantizers() {
  if (!is_fake_quantized()) return;
  for (const char* name :
       {"input_fake_quantizer", "weight_fake_quantizer", "output_fake_quantizer"})
    unregister_module(name);
  input_quantizer_ = weight_quantizer_ = output_quantizer_ = nullptr;
  input_factor_ = at::Tensor();
}

void QuantizableLayer::calibrate_again() {
  require_fake_quantized("calibrate");
  set_fake_quantization(false);
  for (const auto& quantizer : {input_quantizer_, weight_quantizer_, output_quantizer_})
    quantizer->calibrate_again();
  input_factor_ = at::Tensor();
}

void QuantizableLayer::set_observers(bool activations, bool weights) {
  require_fake_quantized("switch observers");
  input_quantizer_->set_observer(activations);
  output_quantizer_->set_observer(activations);
  weight_quantizer_->set_observer(weights);
}

void QuantizableLayer::set_fake_quantization(bool on) {
  require_fake_quantized("switch fake quantization");
  if (on && !observed())
    throw Error(path_ +
                ": fake quantization needs a range, but no batch was observed; calibrate "
                "with audio that reaches this layer");
  for (const auto& quantizer : {input_quantizer_, weight_quantizer_, output_quantizer_})
    quantizer->set_fake_quantization(on);
}

bool QuantizableLayer::observed() const {
  return is_fake_quantized() && input_quantizer_->observed() && weight_quantizer_->observed() &&
         output_quantizer_->observed();
}

void QuantizableLayer::convert_to_int8() {
  require_fake_quantized("convert to int8");
  if (!input_quantizer_->fake_quantization_on())
    throw Error(path_ +
                ": fake quantization is off, so there are no scales to convert with; "
                "calibrate first");
  Int8Parameters parameters;
  parameters.engine = scheme_->engine;
  parameters.input = trained_scale(*input_quantizer_);
  parameters.output = trained_scale(*output_quantizer_);
  parameters.weight_scale = weight_quantizer_->scale().cpu();
  parameters.weight_zero_point = weight_quantizer_->zero_point().cpu();
  parameters.weight =
      quantize_weight(smoothed_weight(), parameters.weight_scale, parameters.weight_zero_point);
  if (bias.defined()) parameters.bias = bias.detach().cpu().clone();
  make_int8(parameters);
}

void QuantizableLayer::make_int8(const Int8Parameters& parameters) {
  int8_ = std::make_shared<const Int8Kernel>(parameters, geometry());
  const at::Tensor factor = input_factor_.defined() ? input_factor_.cpu() : input_factor_;
  fast_ = nullptr;
  remove_fake_quantizers();
  input_factor_ = factor;
  set_parameters({}, parameters.bias);
}

void QuantizableLayer::use_fast_product(bool on) {
  if (!is_int8() || !on) fast_ = nullptr;
  if (!is_int8() || !on || fast_ || !FastInt8::runs(geometry())) return;
  const Int8Parameters parameters{.engine = int8_->engine(),
                                  .input = int8_->input(),
                                  .output = int8_->output(),
                                  .weight = int8_->weight(),
                                  .weight_scale = int8_->weight_scale(),
                                  .weight_zero_point = int8_->weight_zero_point(),
                                  .bias = bias};
  fast_ = std::make_shared<const FastInt8>(parameters, geometry());
}

const Int8Kernel& QuantizableLayer::int8() const {
  if (!is_int8()) throw Error(path_ + ": expected an int8 layer; convert it first");
  return *int8_;
}

at::Tensor QuantizableLayer::int8_weight() const { return int8().weight(); }
at::Tensor QuantizableLayer::weight_scale() const { return int8().weight_scale(); }
at::Tensor QuantizableLayer::weight_zero_point() const { return int8().weight_zero_point(); }

void QuantizableLayer::copy_from(const QuantizableLayer& other) {
  if (this == &other) return;
  if (weight_shape_ != other.weight_shape_ || has_bias_ != other.has_bias_)
    throw Error(path_ + ": expected a layer of weight shape " +
                c10::str(c10::IntArrayRef(weight_shape_)) + " and the same bias to copy, found " +
                c10::str(c10::IntArrayRef(other.weight_shape_)));
  remove_fake_quantizers();
  int8_ = other.int8_;
  copy_parameters(other);
  fast_ = other.fast_;
  if (other.is_fake_quantized()) {
    int8_ = nullptr;
    insert_fake_quantizers(other.scheme());
    input_quantizer_->load_state(other.input_quantizer_->state());
    weight_quantizer_->load_state(other.weight_quantizer_->state());
    output_quantizer_->load_state(other.output_quantizer_->state());
  }
  input_factor_ = other.input_factor_;  // never changed in place
  scheme_ = other.scheme_;
}

void QuantizableLayer::copy_parameters(const QuantizableLayer& other) {
  unregister_parameters();
  weight = weight_g = weight_v = bias = at::Tensor();
  for (const auto& [key, value] : other.own_parameters()) {
    const at::Tensor copied =
        register_parameter(key, value.detach().clone(), value.requires_grad());
    for (auto [name, member] : {std::pair{"weight", &weight}, std::pair{"weight_g", &weight_g},
                                std::pair{"weight_v", &weight_v}, std::pair{"bias", &bias}}) {
      if (key == name) *member = copied;
    }
  }
}

/// A convolution's channels are axis 1, a linear layer's are the last.
int64_t QuantizableLayer::channel_axis(const at::Tensor& x) const {
  return weight_shape_.size() > 2 ? 1 : x.dim() - 1;
}

void QuantizableLayer::choose_input_factor(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const at::Tensor w = float_weight();
  const auto largest = [](const at::Tensor& tensor, int64_t axis) {
    return tensor.transpose(0, axis).flatten(1).abs().amax(1).to(at::kFloat);
  };
  const at::Tensor inputs = largest(x.detach(), channel_axis(x)).clamp_min(1e-5);
  const at::Tensor weights = largest(w, 1).clamp_min(1e-5);
  if (inputs.numel() != weights.numel())
    throw Error(path_ + ": \"smoothing\" is for layers of one group; give this one 0");
  input_factor_ = inputs.pow(scheme_->smoothing) / weights.pow(1 - scheme_->smoothing);
}

at::Tensor QuantizableLayer::smoothed_input(const at::Tensor& x) const {
  if (!input_factor_.defined()) return x;
  std::vector<int64_t> shape(x.dim(), 1);
  shape[channel_axis(x)] = -1;
  return x / input_factor_.view(shape);
}

at::Tensor QuantizableLayer::smoothed_weight() const {
  const at::Tensor w = float_weight();
  if (!input_factor_.defined()) return w;
  std::vector<int64_t> shape(w.dim(), 1);
  shape[1] = -1;
  return w * input_factor_.view(shape);
}

at::Tensor QuantizableLayer::run(const at::Tensor& x) {
  if (is_int8()) {
    const at::Tensor input = smoothed_input(x);
    return fast_ ? fast_->run(input) : int8_->run(input);
  }
  if (!is_fake_quantized()) return compute(x, float_weight());
  if (scheme_->smoothing > 0 && !input_factor_.defined() && input_quantizer_->observer_on())
    choose_input_factor(x);
  return output_quantizer_->forward(compute(input_quantizer_->forward(smoothed_input(x)),
                                            weight_quantizer_->forward(smoothed_weight())));
}

}  // namespace flowqat::model
