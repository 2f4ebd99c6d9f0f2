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
  return {quantizer.scale().item<float>(), quantizer.zero_point().item<int>(),
          quantizer.options().quant_max};
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

const char* QuantizableLayer::found() const {
  return is_int8() ? "an int8 one" : is_fake_quantized() ? "a fake-quantized one" : "a float one";
}

void QuantizableLayer::require_float(const char* action) const {
  if (std::holds_alternative<Float>(state_)) return;
  throw Error(path_ + ": expected a float layer to " + action + ", found " + found());
}

FakeQuantized& QuantizableLayer::require_fake_quantized(const char* action) {
  if (auto* const fake = std::get_if<FakeQuantized>(&state_)) return *fake;
  throw Error(path_ + ": expected a fake-quantized layer to " + action + ", found " + found());
}

const FakeQuantized& QuantizableLayer::fake_quantized() const {
  if (const auto* const fake = std::get_if<FakeQuantized>(&state_)) return *fake;
  throw Error(path_ + ": expected a fake-quantized layer, found " + found());
}

const Int8& QuantizableLayer::int8() const {
  if (const auto* const int8 = std::get_if<Int8>(&state_)) return *int8;
  throw Error(path_ + ": expected an int8 layer; convert it first");
}

const LayerScheme& QuantizableLayer::scheme() const {
  if (is_int8()) return int8().scheme;
  if (is_fake_quantized()) return fake_quantized().scheme;
  throw Error(path_ + ": a float layer has no quantization scheme");
}

FakeQuantized QuantizableLayer::new_fake_quantizers(const LayerScheme& scheme) const {
  if (!(scheme.averaging_constant > 0 && scheme.averaging_constant <= 1))
    throw Error(path_ + ": averaging constant: expected above 0 and at most 1, found " +
                std::to_string(scheme.averaging_constant));
  const int64_t channels = scheme.per_channel_weights ? weight_shape_[0] : 0;
  const auto make = [&](const FakeQuantizerOptions& options) {
    auto quantizer = std::make_shared<FakeQuantizer>(options);
    quantizer->to(float_weight().device());
    return quantizer;
  };
  return {scheme,
          make(FakeQuantizerOptions::activation(scheme)),
          make(FakeQuantizerOptions::weight(scheme, channels)),
          make(FakeQuantizerOptions::activation(scheme)),
          InputFactor(),
          at::Tensor()};
}

void QuantizableLayer::fake_quantize(FakeQuantized state) {
  require_float("insert fake quantizers");
  register_module("input_fake_quantizer", state.input);
  register_module("weight_fake_quantizer", state.weight);
  register_module("output_fake_quantizer", state.output);
  state_ = std::move(state);
}

void QuantizableLayer::insert_fake_quantizers(const LayerScheme& scheme) {
  require_float("insert fake quantizers");
  fake_quantize(new_fake_quantizers(scheme));
}

void QuantizableLayer::become_float() {
  for (const char* name :
       {"input_fake_quantizer", "weight_fake_quantizer", "output_fake_quantizer"})
    unregister_module(name);
  state_ = Float();
}

void QuantizableLayer::calibrate_again() {
  FakeQuantized& fake = require_fake_quantized("calibrate");
  set_fake_quantization(false);
  for (const auto& quantizer : {fake.input, fake.weight, fake.output}) quantizer->calibrate_again();
  fake.input_factor = InputFactor();
  fake.input_peaks = at::Tensor();
}

void QuantizableLayer::set_observers(bool activations, bool weights) {
  const FakeQuantized& fake = require_fake_quantized("switch observers");
  fake.input->set_observer(activations);
  fake.output->set_observer(activations);
  fake.weight->set_observer(weights);
}

void QuantizableLayer::set_calibrating(bool on) {
  const FakeQuantized& fake = require_fake_quantized("calibrate");
  for (const auto& quantizer : {fake.input, fake.weight, fake.output}) {
    quantizer->set_calibrating(on);
  }
}

std::optional<FakeQuantizer::Sight> QuantizableLayer::next_weight() const {
  const auto* const fake = std::get_if<FakeQuantized>(&state_);
  if (!fake) return std::nullopt;
  return FakeQuantizer::Sight{fake->weight.get(), smoothed_weight(fake->input_factor)};
}

void QuantizableLayer::move_rest(const at::Device& device) {
  auto* const fake = std::get_if<FakeQuantized>(&state_);
  if (!fake) return;
  for (at::Tensor* const held : {&fake->input_factor, &fake->input_peaks}) {
    if (held->defined()) *held = held->to(device);
  }
}

void QuantizableLayer::set_fake_quantization(bool on) {
  const FakeQuantized& fake = require_fake_quantized("switch fake quantization");
  if (on && !fake.observed())
    throw Error(path_ +
                ": fake quantization needs a range, but no batch was observed; calibrate "
                "with audio that reaches this layer");
  for (const auto& quantizer : {fake.input, fake.weight, fake.output})
    quantizer->set_fake_quantization(on);
}

void QuantizableLayer::convert_to_int8() {
  const FakeQuantized fake = require_fake_quantized("convert to int8");
  if (!fake.input->fake_quantization_on())
    throw Error(path_ +
                ": fake quantization is off, so there are no scales to convert with; "
                "calibrate first");
  Int8Parameters parameters;
  parameters.engine = fake.scheme.engine;
  parameters.input = trained_scale(*fake.input);
  parameters.output = trained_scale(*fake.output);
  parameters.weight_scale = fake.weight->scale().cpu();
  parameters.weight_zero_point = fake.weight->zero_point().cpu();
  parameters.weight =
      quantize_weight(smoothed_weight(fake.input_factor), parameters.weight_scale,
                      parameters.weight_zero_point, weight_grid(fake.scheme.weight_bits));
  if (bias.defined()) parameters.bias = bias.detach().cpu().clone();
  make_int8(fake.scheme, parameters, fake.input_factor);
}

void QuantizableLayer::make_int8(const LayerScheme& scheme, const Int8Parameters& parameters,
                                 const InputFactor& factor) {
  Int8 int8{scheme, std::make_shared<const Int8Kernel>(parameters, geometry()),
            factor.defined() ? factor.cpu() : factor};
  become_float();
  set_parameters({}, parameters.bias);
  state_ = std::move(int8);
}

void QuantizableLayer::copy_from(const QuantizableLayer& other) {
  if (this == &other) return;
  if (weight_shape_ != other.weight_shape_ || has_bias_ != other.has_bias_)
    throw Error(path_ + ": expected a layer of weight shape " +
                c10::str(c10::IntArrayRef(weight_shape_)) + " and the same bias to copy, found " +
                c10::str(c10::IntArrayRef(other.weight_shape_)));
  become_float();
  copy_parameters(other);
  if (!other.is_fake_quantized()) {
    state_ = other.state_;
    return;
  }
  const FakeQuantized& from = other.fake_quantized();
  FakeQuantized copied = new_fake_quantizers(from.scheme);
  copied.input->load_state(from.input->state());
  copied.weight->load_state(from.weight->state());
  copied.output->load_state(from.output->state());
  copied.input_factor = from.input_factor;
  fake_quantize(std::move(copied));
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

bool QuantizableLayer::shares_input_with(const QuantizableLayer& other) const {
  if (is_int8() || other.is_int8() || awaits_factor() || other.awaits_factor()) return false;
  const auto *const own = std::get_if<FakeQuantized>(&state_), *const its =
                                                                   std::get_if<FakeQuantized>(
                                                                       &other.state_);
  return own && its ? own->input == its->input : own == its;
}

std::shared_ptr<FakeQuantizer> QuantizableLayer::exchange_input_quantizer(
    std::shared_ptr<FakeQuantizer> other) {
  FakeQuantized& fake = require_fake_quantized("share its input");
  replace_module("input_fake_quantizer", other);
  return std::exchange(fake.input, std::move(other));
}

at::Tensor QuantizableLayer::input_on_grid(const at::Tensor& x) {
  auto* const fake = std::get_if<FakeQuantized>(&state_);
  return fake ? fake->input->forward(smoothed_input(x, fake->input_factor)) : x;
}

at::Tensor QuantizableLayer::weight_on_grid() {
  auto* const fake = std::get_if<FakeQuantized>(&state_);
  return fake ? fake->weight->forward(smoothed_weight(fake->input_factor)) : float_weight();
}

at::Tensor QuantizableLayer::output_on_grid(const at::Tensor& y) {
  auto* const fake = std::get_if<FakeQuantized>(&state_);
  return fake ? fake->output->forward(y) : y;
}

Grids QuantizableLayer::grids() const {
  const auto* const fake = std::get_if<FakeQuantized>(&state_);
  return fake ? Grids{fake->input->step(), fake->weight->step()} : Grids();
}

at::Tensor QuantizableLayer::run(const at::Tensor& x) {
  if (const auto* const int8 = std::get_if<Int8>(&state_)) {
    const at::Tensor input = smoothed_input(x, int8->input_factor);
    return int8->kernel->run(input);
  }
  if (awaits_factor()) {
    look_for_peaks(x);
    const at::Tensor w = float_weight(), output = compute(x, w, {});
    if (watch_) watch_(x, w, output);
    return output;
  }
  const at::Tensor rounded = input_on_grid(x), rounded_w = weight_on_grid();
  const at::Tensor output = compute(rounded, rounded_w, grids());
  if (watch_) tell_watch(x, output);
  return output_on_grid(output);
}

void QuantizableLayer::tell_watch(const at::Tensor& x, const at::Tensor& output) const {
  const auto* const fake = std::get_if<FakeQuantized>(&state_);
  const InputFactor factor = fake ? fake->input_factor : InputFactor();
  watch_(smoothed_input(x, factor), smoothed_weight(factor), output);
}

}  // namespace flowqat::model
