#include "io/tensors/safetensors_format.h"

#include <array>

#include "io/tensors/safetensors.h"

namespace flowqat::io {
namespace {

struct Dtype {
  const char* name;
  int64_t bytes;
};
constexpr std::array dtypes = std::to_array<Dtype>({{"BOOL", 1},
                                                    {"U8", 1},
                                                    {"I8", 1},
                                                    {"F8_E5M2", 1},
                                                    {"F8_E4M3", 1},
                                                    {"I16", 2},
                                                    {"U16", 2},
                                                    {"F16", 2},
                                                    {"BF16", 2},
                                                    {"I32", 4},
                                                    {"U32", 4},
                                                    {"F32", 4},
                                                    {"F64", 8},
                                                    {"I64", 8},
                                                    {"U64", 8}});

}  // namespace

int dtype_rank(const std::string& dtype) {
  for (size_t i = 0; i < dtypes.size(); ++i) {
    if (dtype == dtypes[i].name) return static_cast<int>(i);
  }
  return -1;
}

int64_t dtype_bytes(const std::string& dtype) {
  const int rank = dtype_rank(dtype);
  return rank < 0 ? 0 : dtypes[static_cast<size_t>(rank)].bytes;
}

std::optional<int64_t> tensor_bytes(const std::string& dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = dtype_bytes(dtype);
  if (bytes == 0) return std::nullopt;
  bool empty = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    // Multiplied out only when no dimension is zero: [0, 2^62, 2^62] holds nothing and is sound.
    empty = empty || dimension == 0;
  }
  if (empty) return 0;
  for (const int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace flowqat::io
