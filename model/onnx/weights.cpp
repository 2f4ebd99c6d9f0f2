#include "model/onnx/weights.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "model/model.h"
#include "model/packed_weights.h"

namespace flowqat::model::onnx_export {
namespace {

std::string shown(const Shape& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
float from_half(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  const float sign = bits >> 15 ? -1.0F : 1.0F;
  if (exponent == 0x1f) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
}

float from_bfloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

template <class T>
std::vector<T> values_of(const Tensor& tensor, int64_t count) {
  if (tensor.bytes.size() != static_cast<size_t>(count) * sizeof(T)) {
    throw Error("tensor \"" + tensor.name + "\": " + std::to_string(tensor.bytes.size()) +
                " bytes, which do not fill " + tensor.dtype + " " + shown(tensor.shape));
  }
  std::vector<T> values(static_cast<size_t>(count));
  if (count > 0) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

[[noreturn]] void refuse_type(const Tensor& tensor, const char* expected) {
  throw Error("tensor \"" + tensor.name + "\": expected type " + expected + ", found " +
              tensor.dtype);
}

bool is_of_pretraining(const std::string& name) {
  return name.starts_with("quantizer.") || name.starts_with("project_q.") ||
         name.starts_with("project_hid.") || name == "wav2vec2.masked_spec_embed";
}

}  // namespace

int64_t elements_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

Weights::Weights(const Tensors& tensors) {
  for (const Tensor& tensor : tensors) {
    if (!tensors_.emplace(tensor.name, &tensor).second) {
      throw Error("tensor \"" + tensor.name + "\": is there twice");
    }
  }
}

const Tensor& Weights::take(const std::string& name, const Shape& shape) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error("tensor \"" + name + "\": expected " + shown(shape) + ", found none" +
                (name.starts_with("lm_head.") ? "; a checkpoint that was only pretrained "
                                                "recognises nothing: fine-tune it first"
                                              : ""));
  }
  if (found->second->shape != shape) {
    throw Error("tensor \"" + name + "\": expected " + shown(shape) +
                " by the configuration, found " + shown(found->second->shape));
  }
  taken_.insert(name);
  return *found->second;
}

std::vector<float> Weights::floats(const std::string& name, const Shape& shape) {
  const Tensor& tensor = take(name, shape);
  const int64_t count = elements_of(shape);
  if (tensor.dtype == "F32") return values_of<float>(tensor, count);
  const bool half = tensor.dtype == "F16";
  if (!half && tensor.dtype != "BF16") refuse_type(tensor, "F32, F16 or BF16");
  std::vector<float> values;
  values.reserve(static_cast<size_t>(count));
  for (const uint16_t bits : values_of<uint16_t>(tensor, count)) {
    values.push_back(half ? from_half(bits) : from_bfloat(bits));
  }
  return values;
}

std::vector<int8_t> Weights::integers(const std::string& name, const Shape& shape, int bits) {
  return stored_weight(take(name, are_packed(bits) ? packed_shape(shape) : shape), shape, bits);
}

std::vector<float> Weights::folded(const std::string& layer, const Shape& shape) {
  if (has(layer + ".weight")) return floats(layer + ".weight", shape);
  const bool newer = has(layer + ".parametrizations.weight.original0");
  const std::string length = newer ? ".parametrizations.weight.original0" : ".weight_g";
  const std::string direction = newer ? ".parametrizations.weight.original1" : ".weight_v";
  const size_t size = static_cast<size_t>(shape.back());
  const std::vector<float> g = floats(layer + length, {1, 1, shape.back()});
  std::vector<float> weight = floats(layer + direction, shape);
  std::vector<double> factor(size, 0.0);
  for (size_t i = 0; i < weight.size(); ++i) {
    factor[i % size] += static_cast<double>(weight[i]) * static_cast<double>(weight[i]);
  }
  for (size_t k = 0; k < size; ++k) factor[k] = static_cast<double>(g[k]) / std::sqrt(factor[k]);
  for (size_t i = 0; i < weight.size(); ++i) {
    weight[i] = static_cast<float>(static_cast<double>(weight[i]) * factor[i % size]);
  }
  return weight;
}

void Weights::check_all_taken() const {
  std::string names;
  for (const auto& [name, tensor] : tensors_) {
    if (!taken_.contains(name) && !is_of_pretraining(name)) names += " \"" + name + "\"";
  }
  if (!names.empty()) {
    throw Error("the tensors do not fit the configuration: unexpected" + names);
  }
}

}  // namespace flowqat::model::onnx_export
