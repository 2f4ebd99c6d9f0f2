#include "model/torch/quantizable_layer.h"

#include <utility>

#include "model/model.h"

namespace flowqat::model {
namespace {

ActivationScale trained_scale(const FakeQuantizer& quantizer) {
  return {quantizer.scale().item<float>(), quantizer.zero_point().item<int>()};
}

}  // namespace

QuantizableLayer::QuantizableLayer(std::string kind, std::vector<int64_t> weight_shape,
                                   bool has_bias)
    : path_(std::move(kind)), weight_shape_(std::move(weight_shape)), has_bias_(has_bias) {
  set_parameters(torch::zeros(weight_shape_),
                 has_bias ? torch::zeros({weight_shape_[0]}) : torch::Tensor());
}

void QuantizableLayer::set_parameters(const torch::Tensor& new_weight,
                                      const torch::Tensor& new_bias) {
  parameters_.clear();
  weight = torch::Tensor();
  bias = torch::Tensor();
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
  const auto activation =
      FakeQuantizerOptions::activation(scheme.symmetric_activations, scheme.averaging_constant);
  const int64_t channels = scheme.per_channel_weights ? weight_shape_[0] : 0;
  const auto make = [&](const char* name, const FakeQuantizerOptions& options) {
    auto quantizer = register_module(name, std::make_shared<FakeQuantizer>(options));
    quantizer->to(weight.device());
    return quantizer;
  };
  input_quantizer_ = make("input_fake_quantizer", activation);
  weight_quantizer_ = make("weight_fake_quantizer", FakeQuantizerOptions::weight(channels));
  output_quantizer_ = make("output_fake_quantizer", activation);
  scheme_ = scheme;
}

void QuantizableLayer::remove_fake_quantizers() {
  if (!is_fake_quantized()) return;
  for (const char* name :
       {"input_fake_quantizer", "weight_fake_quantizer", "output_fake_quantizer"})
    unregister_module(name);
  input_quantizer_ = weight_quantizer_ = output_quantizer_ = nullptr;
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
      quantize_weight(weight, parameters.weight_scale, parameters.weight_zero_point);
  if (bias.defined()) parameters.bias = bias.detach().cpu().clone();
  make_int8(parameters);
}

void QuantizableLayer::make_int8(const Int8Parameters& parameters) {
  int8_ = std::make_shared<const Int8Kernel>(parameters, geometry());
  fast_ = nullptr;
  remove_fake_quantizers();
  set_parameters({}, parameters.bias);
}

void QuantizableLayer::use_fast_product(bool on) {
  if (!is_int8() || !on) fast_ = nullptr;
  if (!is_int8() || !on || fast_) return;
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

torch::Tensor QuantizableLayer::int8_weight() const { return int8().weight(); }
torch::Tensor QuantizableLayer::weight_scale() const { return int8().weight_scale(); }
torch::Tensor QuantizableLayer::weight_zero_point() const { return int8().weight_zero_point(); }

void QuantizableLayer::copy_from(const QuantizableLayer& other) {
  if (this == &other) return;
  if (weight_shape_ != other.weight_shape_ || has_bias_ != other.has_bias_)
    throw Error(path_ + ": expected a layer of weight shape " +
                c10::str(c10::IntArrayRef(weight_shape_)) + " and the same bias to copy, found " +
                c10::str(c10::IntArrayRef(other.weight_shape_)));
  const auto copy = [](const torch::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().clone() : tensor;
  };
  remove_fake_quantizers();
  int8_ = other.int8_;
  fast_ = other.fast_;
  set_parameters(copy(other.weight), copy(other.bias));
  if (other.is_fake_quantized()) {
    int8_ = nullptr;
    insert_fake_quantizers(other.scheme());
    input_quantizer_->load_state(other.input_quantizer_->state());
    weight_quantizer_->load_state(other.weight_quantizer_->state());
    output_quantizer_->load_state(other.output_quantizer_->state());
  }
  scheme_ = other.scheme_;
}

torch::Tensor QuantizableLayer::run(const torch::Tensor& x) {
  if (is_int8()) return fast_ ? fast_->run(x) : int8_->run(x);
  if (!is_fake_quantized()) return compute(x, weight);
  return output_quantizer_->forward(
      compute(input_quantizer_->forward(x), weight_quantizer_->forward(weight)));
}

}  // namespace flowqat::model
