/// The weights in a Hugging Face model folder.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/tensors/safetensors.h"
#include "model/tensor.h"

namespace flowqat::recognizer {

/// What makes a folder's model an int8 one.
inline constexpr const char* int8_file = "quantization.json";

/// Under the names that the model gives them, and mapped, not read. Adds to `notes` what the user
/// should hear of them. Throws io::Error naming the file.
model::Tensors read_weights(const std::filesystem::path& folder, std::vector<std::string>& notes);

/// For tensors that the model's face and files share.
model::Tensors to_model_tensors(const std::vector<io::Tensor>& tensors);
std::vector<io::Tensor> to_io_tensors(const model::Tensors& tensors);

}  // namespace flowqat::recognizer
