/// What reading and writing safetensors share.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowqat::io {

/// The bytes in front of the header: its length, little-endian.
inline constexpr int64_t safetensors_prefix_bytes = 8;
/// Longer headers are refused, as the reference implementation does.
inline constexpr int64_t safetensors_longest_header_bytes = 100'000'000;

/// The place of a dtype in the reference implementation's order, by which files are laid out
/// (largest elements first); -1 for an unknown dtype.
int dtype_rank(const std::string& dtype);

/// Bytes of a tensor; none for an unknown dtype, a negative dimension or a size beyond int64.
std::optional<int64_t> tensor_bytes(const std::string& dtype, const std::vector<int64_t>& shape);

}  // namespace flowqat::io
