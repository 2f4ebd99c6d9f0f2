#include "nodes/training/range_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/quantization.h"

namespace flowqat::nodes {
namespace {

using nlohmann::json;

/// Asking for them reads every channel's scale: some tenths of a second for a full-size model.
constexpr int64_t records = 100;

/// The lowest and the highest number that the grid of a quantizer, as fake_quantization.json has
/// it, holds in any channel.
json reach(const json& quantizer, const model::GridEnds& grid) {
  const auto at = [](const json& values, size_t i) {
    return (values.is_array() ? values.at(i) : values).get<double>();
  };
  const json &scale = quantizer.at("scale"), &zero_point = quantizer.at("zero_point");
  double lowest = 0, highest = 0;
  for (size_t i = 0; i < (scale.is_array() ? scale.size() : 1); ++i) {
    const double middle = at(zero_point, i);
    lowest = std::min(lowest, (static_cast<double>(grid.lowest) - middle) * at(scale, i));
    highest = std::max(highest, (static_cast<double>(grid.highest) - middle) * at(scale, i));
  }
  return {lowest, highest};
}

}  // namespace

int64_t RangeLog::interval(int64_t steps, int64_t log_every_steps) {
  const int64_t logs = (steps + records * log_every_steps - 1) / (records * log_every_steps);
  return std::max<int64_t>(1, logs) * log_every_steps;
}

void RangeLog::begin(Training& training) {
  if (training.progress.step == 0) log(training);
}

void RangeLog::after_step(Training& training) {
  const int64_t step = training.progress.step;
  if (step % interval(training.steps, training.params.log_every_steps) == 0) log(training);
}

void RangeLog::end(Training& training) {
  const int64_t step = training.progress.step;
  if (step % interval(training.steps, training.params.log_every_steps) != 0) log(training);
}

void RangeLog::log(const Training& training) {
  if (training.state.stage != Stage::fake_quantized) return;
  graph::Json ranges = graph::Json::object();
  const json told = training.state.model->quantization();
  for (const auto& [name, layer] : told.at("layers").items()) {
    const json& scheme = layer.at("scheme");
    const model::GridEnds activations = model::activation_grid(scheme.at("activation_bits"));
    ranges[name] = {
        {"input", reach(layer.at("input"), activations)},
        {"weight", reach(layer.at("weight"), model::weight_grid(scheme.at("weight_bits")))},
        {"output", reach(layer.at("output"), activations)}};
  }
  training.context.metric({{"step", training.progress.step}, {"ranges", ranges}});
}

}  // namespace flowqat::nodes
