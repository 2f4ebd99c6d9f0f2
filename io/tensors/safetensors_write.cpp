#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "io/files/atomic_file.h"
#include "io/files/error.h"
#include "io/tensors/safetensors.h"
#include "io/tensors/safetensors_format.h"

namespace flowqat::io {
namespace {

/// Largest elements first, which keeps every tensor aligned; then by name.
std::vector<const Tensor*> in_file_order(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
    const int rank_a = dtype_rank(a->dtype), rank_b = dtype_rank(b->dtype);
    return rank_a != rank_b ? rank_a > rank_b : a->name < b->name;
  });
  return order;
}

/// The JSON header, padded with spaces so that the tensors start at a multiple of 8 bytes.
std::string header_text(const std::vector<const Tensor*>& order,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t at = 0;
  for (const Tensor* tensor : order) {
    const auto fail = [tensor](const std::string& what) {
      throw Error("safetensors cannot hold tensor \"" + tensor->name + "\": " + what);
    };
    const auto bytes = tensor_bytes(tensor->dtype, tensor->shape);
    if (!bytes) fail("unknown dtype " + tensor->dtype + " or impossible shape");
    if (*bytes != static_cast<int64_t>(tensor->bytes.size())) {
      fail("its shape takes " + std::to_string(*bytes) + " bytes, it has " +
           std::to_string(tensor->bytes.size()));
    }
    if (tensor->name == "__metadata__") fail("the name is reserved");
    if (header.contains(tensor->name)) fail("the name is there twice");
    header[tensor->name] = {
        {"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {at, at + *bytes}}};
    at += *bytes;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::type_error& error) {
    throw Error(std::string("safetensors: a name is not UTF-8: ") + error.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const auto order = in_file_order(tensors);
  const std::string header = header_text(order, metadata);
  const uint64_t length = header.size();
  write_file_atomically(path, [&](FileSink& sink) {
    sink.write(std::as_bytes(std::span(&length, 1)));
    sink.write(header);
    for (const Tensor* tensor : order) sink.write(tensor->bytes);
  });
}

int64_t safetensors_bytes(const std::vector<Tensor>& tensors,
                          const std::map<std::string, std::string>& metadata) {
  const auto header = header_text(in_file_order(tensors), metadata);
  int64_t bytes = safetensors_prefix_bytes + static_cast<int64_t>(header.size());
  for (const Tensor& tensor : tensors) bytes += static_cast<int64_t>(tensor.bytes.size());
  return bytes;
}

}  // namespace flowqat::io
