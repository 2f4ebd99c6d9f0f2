#include "model/torch/network/network_tensors.h"

#include <xxhash.h>

#include <cstdio>

namespace flowqat::model {
namespace {

std::string digest_of(const NamedTensor& tensor) {
  const at::Tensor host = tensor.value.detach().cpu().contiguous();
  char digest[17];
  std::snprintf(digest, sizeof digest, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(host.const_data_ptr(), host.nbytes())));
  return form_of(tensor).append(1, ' ').append(digest);
}

}  // namespace

std::string form_of(const NamedTensor& tensor) {
  std::string form = tensor.name;
  for (const int64_t size : tensor.value.sizes()) form.append(1, ' ').append(std::to_string(size));
  return form;
}

std::vector<NamedTensor> network_tensors(const Wav2Vec2ForCtc& network) {
  std::vector<NamedTensor> tensors = network.named_parameters();
  for (const auto& [path, module] : network.named_modules()) {
    for (const auto& [name, value] : module->own_buffers()) {
      tensors.push_back({path + "." + name, value});
    }
  }
  return tensors;
}

std::vector<std::string> network_digests(const Wav2Vec2ForCtc& network) {
  std::vector<std::string> digests;
  for (const NamedTensor& tensor : network_tensors(network)) digests.push_back(digest_of(tensor));
  for (const auto& [name, layer] : network.quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    const InputFactor& factor = layer->fake_quantized().input_factor;
    if (factor.defined()) digests.push_back(digest_of({name + ".input_factor", factor}));
  }
  return digests;
}

}  // namespace flowqat::model
