#include "model/torch/training/weight_grids.h"

namespace flowqat::model {

WeightGrids::WeightGrids(const Wav2Vec2ForCtc& network) {
  for (const auto& [name, layer] : network.quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    const FakeQuantizer& weight = *layer->fake_quantized().weight;
    if (weight.log_scale().defined()) continue;
    for (const at::Tensor& buffer :
         {weight.min_val(), weight.max_val(), weight.scale(), weight.zero_point()}) {
      buffers_.emplace_back(buffer, buffer.clone());
    }
  }
}

void WeightGrids::restore() const {
  const at::NoGradGuard no_grad;
  for (const auto& [buffer, kept] : buffers_) at::Tensor(buffer).copy_(kept);
}

}  // namespace flowqat::model
