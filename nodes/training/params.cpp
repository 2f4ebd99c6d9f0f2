#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

std::vector<ParamGroup> groups() {
  return {
      length_params(), schedule_params(),     optimizer_params(),
      loss_params(),   quantization_params(), running_params(),
  };
}

}  // namespace

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
