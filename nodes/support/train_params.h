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
  /// A share of the run's steps up to 1, a number of steps above.
  double fake_quantize_from = 0, freeze_observers_at = 1;
  int64_t log_every_steps = 20;
  double checkpoint_every_s = 0;
  int keep_checkpoints = 1;
};

std::vector<graph::ParamSpec> train_param_specs();
/// `config` is that of the model that is trained.
TrainParams read_train_params(const graph::Params& params, const model::Config& config);

/// The phases of quantization-aware training by the steps from which they last: the model trains in
/// float while its observers follow; then with fake quantization; then with frozen activation
/// ranges too.
struct Phases {
  int64_t fake_quantize_from = 0;
  int64_t freeze_from = 0;  ///< not before fake_quantize_from
};
Phases phases_of(const TrainParams& params, int64_t steps);

}  // namespace flowqat::nodes
