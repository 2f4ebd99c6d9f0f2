/// Named tensors in Hugging Face's safetensors format: 8 bytes of little-endian header length, a
/// JSON header, then the tensors' bytes without gaps
/// (https://github.com/huggingface/safetensors#format).
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace flowqat::io {

/// Row-major, little-endian. `bytes` views memory that `owner` keeps alive (a mapped file, or
/// whatever made the tensor) and need not be aligned to the element size.
struct Tensor {
  std::string name;
  std::string dtype;  ///< safetensors' spelling: F32, F16, BF16, I8, U8, I32, I64, BOOL, ...
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Maps the file and returns its tensors in the order of their bytes. Throws Error naming the file,
/// and the tensor where there is one, for anything that the format forbids: a header that is longer
/// than the file or not JSON, an unknown dtype, a shape whose size is not that of its bytes, ranges
/// that overlap, leave a gap or end outside the file.
std::vector<Tensor> read_safetensors(const std::filesystem::path& path);

/// The weights in a model folder: model.safetensors, or the shards of model.safetensors.index.json.
/// Throws Error when there are none; where there is only pytorch_model.bin, the text holds the
/// command that converts it.
std::vector<Tensor> read_model_weights(const std::filesystem::path& folder);

/// Writes the same bytes as Python's safetensors would: under a temporary name, synced, then
/// renamed, so that `path` is never half written. Throws Error for a tensor whose bytes do not fit
/// its shape and dtype, a name twice, or a failure to write.
void write_safetensors(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// Size in bytes of the file that write_safetensors makes, header and all.
int64_t safetensors_bytes(const std::vector<Tensor>& tensors,
                          const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// Bytes of one element; 0 for an unknown dtype.
int64_t dtype_bytes(const std::string& dtype);

}  // namespace flowqat::io
