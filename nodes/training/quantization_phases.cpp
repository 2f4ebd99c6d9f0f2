#include "nodes/training/quantization_phases.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace flowqat::nodes {

Phases phases_of(const TrainParams& params, int64_t steps) {
  const int64_t from = steps_of(params.fake_quantize_from, steps);
  return {from, std::max(from, steps_of(params.freeze_observers_at, steps))};
}

void QuantizationPhases::begin(Training& training) {
  phases_ = phases_of(training.params, training.steps);
}

graph::Json QuantizationPhases::state() const { return {{"fake_quantizes", fake_quantizes_}}; }

void QuantizationPhases::restore(const graph::Json& state) {
  fake_quantizes_ = state.at("fake_quantizes").get<bool>();
}

void QuantizationPhases::before_step(Training& training) {
  if (training.state.stage != Stage::fake_quantized) return;
  const int64_t step = training.progress.step;
  fake_quantize(*training.state.model, step >= phases_.fake_quantize_from);
  training.state.model->set_activation_observers(step < phases_.freeze_from);
}

void QuantizationPhases::end(Training& training) {
  if (training.state.stage == Stage::fake_quantized) fake_quantize(*training.state.model, true);
}

void QuantizationPhases::fake_quantize(model::Model& model, bool on) {
  if (std::exchange(fake_quantizes_, on) != on) model.set_fake_quantization(on);
}

}  // namespace flowqat::nodes
