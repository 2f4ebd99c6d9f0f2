#pragma once
#include <functional>
#include <vector>

#include "graph/params.h"
#include "model/model.h"
#include "model/schedule.h"

namespace flowqat::nodes {

/// The parameters of the train node, as its parts take them.
struct TrainParams {
  int64_t epochs = 0, max_steps = 0;  ///< 0: no limit; one of them is above
  model::TrainOptions options;
  model::ScheduleOptions schedule;
  /// A share of the run's steps up to 1, a number of steps above.
  double fake_quantize_from = 0, freeze_observers_at = 1;
  /// How long the head alone learns: a share as well.
  double head_only_for = 0;
  double max_duration_s = 0;  ///< of what is trained on; 0: no limit
  int64_t log_every_steps = 20;
  double checkpoint_every_s = 0;
  int keep_checkpoints = 1;
  int64_t max_skipped_steps = 0;
};

/// Parameters that belong together, a file each: what they are, and where their values go.
struct ParamGroup {
  std::vector<graph::ParamSpec> specs;
  /// `config` is that of the model that is trained.
  std::function<void(const graph::Params& params, const model::Config& config, TrainParams& out)>
      read;
};

ParamGroup length_params();
ParamGroup schedule_params();
ParamGroup optimizer_params();
ParamGroup fine_tuning_params();
ParamGroup loss_params();
ParamGroup quantization_params();
ParamGroup running_params();

/// How many of a training's steps a share of them up to 1, or a number of steps above, stands for.
int64_t steps_of(double share_or_steps, int64_t steps);

/// Of all groups, in the order in which they are documented.
std::vector<graph::ParamSpec> train_param_specs();
/// `config` is that of the model that is trained.
TrainParams read_train_params(const graph::Params& params, const model::Config& config);

}  // namespace flowqat::nodes
