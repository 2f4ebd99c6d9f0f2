/// The JSON form of schemes and fake quantizers, and checked reading of it.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/quantization.h"
#include "model/torch/base/tensor.h"
#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {

/// One object of a layer's state. Every failure is an Error that says where (layer and key), what
/// was expected and what was found.
class StateReader {
 public:
  using Keys = std::vector<const char*>;

  /// Throws unless `json` is an object with exactly the keys given. Both are copied.
  StateReader(const nlohmann::json& json, std::string where, const Keys& keys);

  StateReader object(const char* key, const Keys& keys) const;
  const nlohmann::json& at(const char* key) const { return json_.at(key); }
  bool boolean(const char* key) const;
  int64_t integer(const char* key, int64_t low, int64_t high) const;
  double number(const char* key, double low, double high) const;
  /// Above zero and finite as float32.
  double scale(const char* key) const;
  /// float32 or int32: [] or [1] (as `shape` says) of a number, else shape[0] numbers of an array.
  at::Tensor floats(const char* key, at::IntArrayRef shape, double low, double high) const;
  at::Tensor integers(const char* key, at::IntArrayRef shape, int64_t low, int64_t high) const;
  const std::string& where() const { return where_; }
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

 private:
  nlohmann::json json_;
  std::string where_;
};

/// All fields of a LayerScheme.
LayerScheme scheme_from_json(const StateReader& layer, const char* key);

/// {"min", "max", "scale", "zero_point", "log_scale"}: exact; numbers, or arrays per channel; null
/// for the range of one that saw nothing, and for the logarithm where no step is learned. Waits for
/// the device.
nlohmann::json quantizer_to_json(const FakeQuantizer& quantizer);
/// The ranges, scales and zero points of `quantizer` become those of the object under `key`.
void quantizer_from_json(const StateReader& layer, const char* key, FakeQuantizer& quantizer);

/// A number for one element, else an array. Exact for float32 and int32.
nlohmann::json tensor_to_json(const at::Tensor& tensor);

/// The smallest scale that every kernel can invert in float32.
inline constexpr double smallest_scale = 1.17549435e-38;
inline constexpr double largest_float = 3.4028234663852886e38;

}  // namespace flowqat::model
