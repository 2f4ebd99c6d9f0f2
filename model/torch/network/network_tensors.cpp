#include "model/torch/network/network_tensors.h"

#include <xxhash.h>

#include <cstdio>

#include "model/torch/base/module.h"

namespace flowqat::model {
namespace {

/// "lm_head.weight 32 768 0123456789abcdef"
std::string digest_of(const NamedTensor& tensor) {
  std::string line = tensor.name;
  for (const int64_t size : tensor.value.sizes()) line.append(1, ' ').append(std::to_string(size));
  const at::Tensor host = tensor.value.detach().cpu().contiguous();
  char digest[17];
  std::snprintf(digest, sizeof digest, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(host.const_data_ptr(), host.nbytes())));
  return line.append(1, ' ').append(digest);
}

}  // namespace

std::vector<std::string> network_digests(const Wav2Vec2ForCtc& network) {
  std::vector<std::string> digests;
  for (const NamedTensor& tensor : network.named_parameters()) digests.push_back(digest_of(tensor));
  for (const auto& [path, module] : network.named_modules()) {
    for (const auto& [name, value] : module->own_buffers()) {
      digests.push_back(digest_of({path + "." + name, value}));
    }
  }
  for (const auto& [name, layer] : network.quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    const InputFactor& factor = layer->fake_quantized().input_factor;
    if (factor.defined()) digests.push_back(digest_of({name + ".input_factor", factor}));
  }
  return digests;
}

}  // namespace flowqat::model
