#include "model/torch/network/layer_inputs.h"

namespace flowqat::model {

std::string input_of(const std::string& layer) {
  for (const char* const end : {"q_proj", "k_proj", "v_proj"}) {
    if (layer.ends_with(end)) return layer.substr(0, layer.size() - 6) + "[qkv]_proj";
  }
  return layer;
}

}  // namespace flowqat::model
