#include "recognizer/model_weights.h"

#include "io/files/error.h"
#include "model/model.h"
#include "model/weight_names.h"

namespace flowqat::recognizer {
namespace {

template <class To, class From>
std::vector<To> converted(const std::vector<From>& tensors) {
  std::vector<To> result;
  result.reserve(tensors.size());
  for (const From& tensor : tensors) {
    result.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, tensor.owner});
  }
  return result;
}

}  // namespace

model::Tensors to_model_tensors(const std::vector<io::Tensor>& tensors) {
  return converted<model::Tensor>(tensors);
}

std::vector<io::Tensor> to_io_tensors(const model::Tensors& tensors) {
  return converted<io::Tensor>(tensors);
}

model::Tensors read_weights(const std::filesystem::path& folder, std::vector<std::string>& notes) {
  try {
    return model::with_own_names(to_model_tensors(io::read_model_weights(folder)), notes);
  } catch (const model::Error& error) {
    throw io::Error(folder, error.what());
  }
}

}  // namespace flowqat::recognizer
