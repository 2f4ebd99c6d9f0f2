/// The numbers of an int8 model by its layers' names, checked as they are read.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/tensor.h"
#include "runtime/layers/layer.h"

namespace flowqat::runtime {

/// What a layer's weight is: [out, in, kernel], the last two 1 for what has none.
struct WeightShape {
  int64_t out = 0, in = 0, kernel = 1;
  bool is_convolution = false;  ///< three axes rather than two
  bool has_bias = true;
};

/// Is told of bytes of a tensor that were read and will not be read again: whoever mapped a file
/// may give its pages back.
using BytesRead = std::function<void(std::span<const std::byte>)>;

/// Reads tensors and the layers of quantization.json, on several threads if need be. What is
/// missing, wrongly shaped or never asked for is collected, and told by check() in one Error; until
/// then it reads as zeros. Failures of quantization.json are Errors at once, and name layer and
/// key.
class Weights {
 public:
  /// Views of what outlives it. `quantization` as Model::quantization() of an int8 model.
  Weights(const model::Tensors& tensors, const nlohmann::json& quantization, BytesRead bytes_read);

  /// Whether the layer is int8.
  bool is_int8(const std::string& layer) const;
  /// float32 of `shape`, from F32, F16 or BF16.
  std::vector<float> floats(const std::string& name, const std::vector<int64_t>& shape);
  /// With the weight as [out, kernel, in], as windows of frames lie in memory.
  LayerNumbers layer(const std::string& name, const WeightShape& shape);
  /// The same, a part a group of channels: `shape` is that of the whole, with `in` of a group.
  std::vector<LayerNumbers> groups(const std::string& name, const WeightShape& shape,
                                   int64_t groups);
  /// Known, though nothing here needs it.
  void pass_over(const std::string& name);

  /// Elements of all weights that were read.
  int64_t count() const { return count_; }
  void check() const;

 private:
  const model::Tensor* find(const std::string& name, const std::vector<int64_t>& shape,
                            const std::vector<std::string>& types);
  void add_to_count(int64_t elements);
  void done_with(const model::Tensor& tensor) const;
  LayerNumbers int8_numbers(const std::string& name, const WeightShape& shape);
  FloatNumbers float_numbers(const std::string& name, const WeightShape& shape);

  std::map<std::string, const model::Tensor*> tensors_;
  nlohmann::json layers_;
  BytesRead bytes_read_;
  std::mutex lock_;  // of what follows
  std::set<std::string> read_tensors_, read_layers_;
  std::vector<std::string> complaints_;
  int64_t count_ = 0;
};

}  // namespace flowqat::runtime
