#include "model/torch/training/shared_inputs.h"

#include <ATen/ops/equal.h>

#include <map>
#include <string>
#include <utility>

#include "model/torch/network/layer_inputs.h"

namespace flowqat::model {
namespace {

bool divide_alike(const QuantizableLayer& layer, const QuantizableLayer& other) {
  const InputFactor &own = layer.fake_quantized().input_factor,
                    &its = other.fake_quantized().input_factor;
  if (layer.awaits_factor() || other.awaits_factor()) return false;
  return own.defined() && its.defined() ? at::equal(own, its) : own.defined() == its.defined();
}

}  // namespace

SharedInputs::SharedInputs(const Wav2Vec2ForCtc& network) {
  std::map<std::string, QuantizableLayer*> first_of;
  for (const auto& [name, layer] : network.quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    QuantizableLayer* const first = first_of.emplace(input_of(name), layer.get()).first->second;
    if (first == layer.get() || !divide_alike(*first, *layer)) continue;
    const std::shared_ptr<FakeQuantizer>& shared = first->fake_quantized().input;
    if (!shared->is_like(*layer->fake_quantized().input)) continue;
    parked_.push_back({layer.get(), layer->exchange_input_quantizer(shared)});
  }
}

SharedInputs::~SharedInputs() {
  for (auto& [layer, own] : parked_) {
    const auto shared = layer->exchange_input_quantizer(own);
    own->load_state(shared->state());
  }
}

}  // namespace flowqat::model
