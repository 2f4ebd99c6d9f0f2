#pragma once
#include <vector>

#include "graph/params.h"
#include "model/model.h"
#include "model/schedule.h"

namespace flowqat::nodes {

/// The parameters of the train node, as its parts take them.
struct TrainParams {
  int64_t epochs = 1;
  model::TrainOptions options;
  model::ScheduleOptions schedule;
  double freeze_observers_at = 1;
  int64_t log_every_steps = 20;
  double checkpoint_every_s = 0;
  int keep_checkpoints = 1;
};

std::vector<graph::ParamSpec> train_param_specs();
/// `config` is that of the model that is trained.
TrainParams read_train_params(const graph::Params& params, const model::Config& config);

}  // namespace flowqat::nodes
