#include "runtime/network/weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/message.h"
#include "model/model.h"
#include "model/packed_weights.h"
#include "runtime/network/layer_grids.h"

namespace flowqat::runtime {
namespace {

using model::Error;

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

int64_t count_of(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

/// IEEE 754's binary16.
float from_half(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31;
  const uint32_t exponent = (half >> 10) & 31u, fraction = half & 1023u;
  if (exponent == 0) {
    return std::bit_cast<float>(
        sign | std::bit_cast<uint32_t>(std::ldexp(static_cast<float>(fraction), -24)));
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// From [out, in, kernel] to [out, kernel, in].
template <class T>
std::vector<T> channels_innermost(const std::vector<T>& weight, const WeightShape& shape) {
  if (shape.kernel == 1) return weight;
  std::vector<T> turned(weight.size());
  for (int64_t out = 0; out < shape.out; ++out) {
    const int64_t at = out * shape.in * shape.kernel;
    for (int64_t in = 0; in < shape.in; ++in) {
      for (int64_t tap = 0; tap < shape.kernel; ++tap) {
        turned[static_cast<size_t>(at + tap * shape.in + in)] =
            weight[static_cast<size_t>(at + in * shape.kernel + tap)];
      }
    }
  }
  return turned;
}

std::vector<int64_t> axes(const WeightShape& shape) {
  if (shape.is_convolution) return {shape.out, shape.in, shape.kernel};
  return {shape.out, shape.in};
}

template <class T>
std::vector<T> part_of(const std::vector<T>& all, int64_t part, int64_t parts) {
  if (all.size() <= 1) return all;
  const auto size = static_cast<int64_t>(all.size()) / parts;
  return {all.begin() + part * size, all.begin() + (part + 1) * size};
}

}  // namespace

Weights::Weights(const model::Tensors& tensors, const nlohmann::json& quantization,
                 BytesRead bytes_read)
    : layers_(checked_int8_layers(quantization)), bytes_read_(std::move(bytes_read)) {
  for (const model::Tensor& tensor : tensors) tensors_[tensor.name] = &tensor;
}

bool Weights::is_int8(const std::string& layer) const { return layers_.contains(layer); }

const model::Tensor* Weights::find(const std::string& name, const std::vector<int64_t>& shape,
                                   const std::vector<std::string>& types) {
  const std::lock_guard lock(lock_);
  read_tensors_.insert(name);
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    complaints_.push_back("missing \"" + name + "\"");
    return nullptr;
  }
  const model::Tensor& tensor = *found->second;
  if (tensor.shape == shape && std::find(types.begin(), types.end(), tensor.dtype) != types.end()) {
    return &tensor;
  }
  std::string expected = types[0];
  for (size_t i = 1; i < types.size(); ++i) expected += " or " + types[i];
  complaints_.push_back("\"" + name + "\" is " + tensor.dtype + " " + shape_text(tensor.shape) +
                        ", expected " + expected + " " + shape_text(shape));
  return nullptr;
}

void Weights::done_with(const model::Tensor& tensor) const {
  if (bytes_read_) bytes_read_(tensor.bytes);
}

void Weights::add_to_count(int64_t elements) {
  const std::lock_guard lock(lock_);
  count_ += elements;
}

std::vector<float> Weights::floats(const std::string& name, const std::vector<int64_t>& shape) {
  const auto count = static_cast<size_t>(count_of(shape));
  add_to_count(count_of(shape));
  std::vector<float> values(count);
  const model::Tensor* const tensor = find(name, shape, {"F32", "F16", "BF16"});
  if (!tensor) return values;
  if (tensor->dtype == "F32") {
    std::memcpy(values.data(), tensor->bytes.data(), count * sizeof(float));
    done_with(*tensor);
    return values;
  }
  const bool is_half = tensor->dtype == "F16";
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, tensor->bytes.data() + 2 * i, sizeof(bits));
    values[i] = is_half ? from_half(bits) : std::bit_cast<float>(uint32_t{bits} << 16);
  }
  done_with(*tensor);
  return values;
}

LayerNumbers Weights::int8_numbers(const std::string& name, const WeightShape& shape) {
  {
    const std::lock_guard lock(lock_);
    read_layers_.insert(name);
  }
  const LayerGrids grids = layer_grids(layers_.at(name), name, shape.out, shape.in);
  const int64_t count = shape.out * shape.in * shape.kernel;
  add_to_count(count);
  Int8Numbers numbers{.out = shape.out,
                      .depth = shape.in * shape.kernel,
                      .weight = std::vector<int8_t>(static_cast<size_t>(count)),
                      .weight_scale = {grids.weight_scale},
                      .weight_zero_point = grids.weight_zero_point,
                      .bias = {},
                      .input = grids.input,
                      .output = grids.output};
  const bool packed = model::are_packed(grids.weight_bits);
  if (const model::Tensor* const weight =
          find(name + ".weight", packed ? model::packed_shape(axes(shape)) : axes(shape),
               {packed ? "U8" : "I8"})) {
    numbers.weight =
        channels_innermost(model::stored_weight(*weight, axes(shape), grids.weight_bits), shape);
    done_with(*weight);
  }
  if (grids.scale_a_channel) {
    numbers.weight_scale.assign(static_cast<size_t>(shape.out), 1.0f);
    const std::string scale = name + ".weight_scale";
    if (const model::Tensor* const tensor = find(scale, {shape.out}, {"F32"})) {
      std::memcpy(numbers.weight_scale.data(), tensor->bytes.data(),
                  numbers.weight_scale.size() * sizeof(float));
      check_scales(numbers.weight_scale, scale);
    }
  }
  if (shape.has_bias) numbers.bias = floats(name + ".bias", {shape.out});
  return {std::move(numbers), grids.input_factor};
}

FloatNumbers Weights::float_numbers(const std::string& name, const WeightShape& shape) {
  FloatNumbers numbers{.out = shape.out,
                       .depth = shape.in * shape.kernel,
                       .weight = channels_innermost(floats(name + ".weight", axes(shape)), shape),
                       .bias = {}};
  if (shape.has_bias) numbers.bias = floats(name + ".bias", {shape.out});
  return numbers;
}

LayerNumbers Weights::layer(const std::string& name, const WeightShape& shape) {
  if (is_int8(name)) return int8_numbers(name, shape);
  return {float_numbers(name, shape), {}};
}

std::vector<LayerNumbers> Weights::groups(const std::string& name, const WeightShape& shape,
                                          int64_t groups) {
  const LayerNumbers whole = layer(name, shape);
  if (!whole.factor.empty()) {
    throw Error(name +
                ".input_factor: expected null, as a layer of several groups is not smoothed");
  }
  std::vector<LayerNumbers> parts;
  for (int64_t group = 0; group < groups; ++group) {
    if (const auto* const int8 = std::get_if<Int8Numbers>(&whole.numbers)) {
      Int8Numbers part{.out = shape.out / groups,
                       .depth = int8->depth,
                       .weight = part_of(int8->weight, group, groups),
                       .weight_scale = part_of(int8->weight_scale, group, groups),
                       .weight_zero_point = part_of(int8->weight_zero_point, group, groups),
                       .bias = part_of(int8->bias, group, groups),
                       .input = int8->input,
                       .output = int8->output};
      parts.push_back({std::move(part), {}});
    } else {
      const auto& floats = std::get<FloatNumbers>(whole.numbers);
      parts.push_back({FloatNumbers{.out = shape.out / groups,
                                    .depth = floats.depth,
                                    .weight = part_of(floats.weight, group, groups),
                                    .bias = part_of(floats.bias, group, groups)},
                       {}});
    }
  }
  return parts;
}

void Weights::pass_over(const std::string& name) {
  if (!tensors_.contains(name)) return;
  read_tensors_.insert(name);
  count_ += count_of(tensors_.at(name)->shape);
}

void Weights::check() const {
  std::vector<std::string> complaints = complaints_;
  std::sort(complaints.begin(), complaints.end());  // threads found them in any order
  for (const auto& [name, tensor] : tensors_) {
    if (!read_tensors_.contains(name)) complaints.push_back("unexpected \"" + name + "\"");
  }
  for (const auto& layer : layers_.items()) {
    if (!read_layers_.contains(layer.key())) {
      complaints.push_back("quantization of \"" + layer.key() +
                           "\", which is no layer of this model");
    }
  }
  if (complaints.empty()) return;
  std::string text = "model: ";
  for (size_t i = 0; i < complaints.size(); ++i) text += (i > 0 ? "; " : "") + complaints[i];
  throw Error(shortened(text, most_shown_bytes));
}

}  // namespace flowqat::runtime
