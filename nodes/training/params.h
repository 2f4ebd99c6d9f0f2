#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/params.h"
#include "model/model.h"
#include "model/schedule.h"
#include "nodes/support/model_step.h"

namespace flowqat::nodes {

/// How a training is evaluated while it runs.
struct EvaluationParams {
  int64_t every_epochs = 1;
  int64_t every_steps = 0;      ///< in the place of every_epochs where above 0
  bool int8 = false;            ///< evaluates what conversion would make of it, too
  std::string best_by = "wer";  ///< a key of the figures
  bool best_is_int8 = false;    ///< whether they are the int8 model's
  bool hands_on_best = true;    ///< else the last
  int64_t patience = 0;         ///< evaluations without a better one before it ends; 0: it does not
};

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
  EvaluationParams evaluation;
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
ParamGroup evaluation_params();
/// Throws GraphError where evaluation is asked for without a stream for it, or of a model that is
/// not there. `stage`: of the model that is trained, where it is known.
void check_evaluation(const EvaluationParams& params, bool has_dev, std::optional<Stage> stage);

/// How many of a training's steps a share of them up to 1, or a number of steps above, stands for.
int64_t steps_of(double share_or_steps, int64_t steps);

/// Of all groups, in the order in which they are documented.
std::vector<graph::ParamSpec> train_param_specs();
/// `config` is that of the model that is trained.
TrainParams read_train_params(const graph::Params& params, const model::Config& config);

}  // namespace flowqat::nodes
