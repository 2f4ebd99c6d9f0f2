#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

std::vector<ParamGroup> groups() {
  return {
      length_params(), schedule_params(),     optimizer_params(), fine_tuning_params(),
      loss_params(),   quantization_params(), running_params(),   evaluation_params(),
  };
}

}  // namespace

int64_t steps_of(double share_or_steps, int64_t steps) {
  const double count =
      share_or_steps > 1 ? share_or_steps : share_or_steps * static_cast<double>(steps);
  return static_cast<int64_t>(count);
}

std::vector<graph::ParamSpec> train_param_specs() {
  std::vector<graph::ParamSpec> specs;
  for (const ParamGroup& group : groups()) {
    specs.insert(specs.end(), group.specs.begin(), group.specs.end());
  }
  return specs;
}

TrainParams read_train_params(const graph::Params& params, const model::Config& config) {
  TrainParams read;
  for (const ParamGroup& group : groups()) group.read(params, config, read);
  return read;
}

}  // namespace flowqat::nodes
