#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace flowqat::model {

/// A named tensor as it stands in a safetensors file: row-major, little-endian. `bytes` views
/// memory that `owner` keeps alive (a mapped file, or a tensor of the model).
struct Tensor {
  std::string name;
  std::string dtype;  ///< safetensors' spelling: F32, F16, BF16, I8, U8, I32, I64, ...
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

using Tensors = std::vector<Tensor>;

}  // namespace flowqat::model
