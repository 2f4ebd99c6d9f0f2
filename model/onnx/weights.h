/// A state dict to take tensors from, by name, as float32 or as they are.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/tensor.h"

namespace flowqat::model::onnx_export {

using Shape = std::vector<int64_t>;
int64_t elements_of(const Shape& shape);

/// Every function throws Error naming the tensor for one that is missing or of another shape or
/// type.
class Weights {
 public:
  /// Keeps views of `tensors`, which must outlive it.
  explicit Weights(const Tensors& tensors);

  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Of an F32, F16 or BF16 tensor.
  std::vector<float> floats(const std::string& name, const Shape& shape);
  /// Of an int8 layer's weight of `bits` bits, packed or not (model/packed_weights.h).
  std::vector<int8_t> integers(const std::string& name, const Shape& shape, int bits);
  /// The positional convolution's kernel `layer`.weight [out, in, size]: as it is, or folded from
  /// its weight norm over all but the last dimension (Salimans and Kingma 2016, arXiv:1602.07868),
  /// in either of the two spellings.
  std::vector<float> folded(const std::string& layer, const Shape& shape);
  /// Throws Error if there is a tensor that no one took and that means something to a CTC model.
  void check_all_taken() const;

 private:
  const Tensor& take(const std::string& name, const Shape& shape);

  std::map<std::string, const Tensor*> tensors_;
  std::set<std::string> taken_;
};

}  // namespace flowqat::model::onnx_export
