/// A training's state in a folder, for members of a group and for whoever goes on.
#pragma once
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "model/model.h"

namespace flowqat::testing {

inline void write_tensors(const std::filesystem::path& path, const model::Tensors& tensors) {
  std::ofstream file(path, std::ios::binary);
  for (const model::Tensor& tensor : tensors) {
    file << nlohmann::json{tensor.name, tensor.dtype, tensor.shape, tensor.bytes.size()} << "\n";
    file.write(reinterpret_cast<const char*>(tensor.bytes.data()),
               static_cast<std::streamsize>(tensor.bytes.size()));
  }
}

inline model::Tensors read_tensors(const std::filesystem::path& path) {
  model::Tensors tensors;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    const auto head = nlohmann::json::parse(line);
    const auto bytes = std::make_shared<std::vector<std::byte>>(head[3].get<size_t>());
    file.read(reinterpret_cast<char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
    tensors.push_back({head[0], head[1], head[2], *bytes, bytes});
  }
  return tensors;
}

struct Saved {
  explicit Saved(const std::filesystem::path& folder)
      : weights(read_tensors(folder / "weights")), state(read_tensors(folder / "state")) {
    std::ifstream(folder / "quantization.json") >> quantization;
  }
  model::Tensors weights, state;
  nlohmann::json quantization;
};

inline void save(const model::Model& trained, const model::Tensors& state,
                 const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_tensors(folder / "weights", trained.tensors());
  write_tensors(folder / "state", state);
  std::ofstream(folder / "quantization.json") << trained.quantization();
}

}  // namespace flowqat::testing
