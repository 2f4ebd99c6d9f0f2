#include "nodes/support/train_params.h"

#include <algorithm>

namespace flowqat::nodes {

using graph::ParamKind;

std::vector<graph::ParamSpec> train_param_specs() {
  return {
      {.name = "epochs",
       .kind = ParamKind::integer,
       .fallback = 1,
       .minimum = 1,
       .doc = "passes over the stream"},
      {.name = "lr",
       .kind = ParamKind::number,
       .fallback = 5e-5,
       .minimum = 0,
       .doc = "AdamW's learning rate at its peak"},
      {.name = "lr_min",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "where the cosine ends"},
      {.name = "schedule",
       .kind = ParamKind::choice,
       .fallback = "cosine",
       .choices = {"constant", "cosine"},
       .doc = "cosine: PyTorch's CosineAnnealingLR"},
      {.name = "schedule_unit",
       .kind = ParamKind::choice,
       .fallback = "step",
       .choices = {"step", "epoch"},
       .doc = "what the cosine counts: optimizer steps, or epochs as when stepped once an epoch"},
      {.name = "t_max",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "units to the end of the cosine; 0: the whole training"},
      {.name = "warmup_share",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .maximum = 1,
       .doc = "share of the steps in which the rate first rises linearly"},
      {.name = "beta1",
       .kind = ParamKind::number,
       .fallback = 0.9,
       .minimum = 0,
       .maximum = 1,
       .doc = "AdamW"},
      {.name = "beta2",
       .kind = ParamKind::number,
       .fallback = 0.999,
       .minimum = 0,
       .maximum = 1,
       .doc = "AdamW"},
      {.name = "epsilon",
       .kind = ParamKind::number,
       .fallback = 1e-8,
       .minimum = 0,
       .doc = "AdamW"},
      {.name = "weight_decay",
       .kind = ParamKind::number,
       .fallback = 0.01,
       .minimum = 0,
       .doc = "AdamW"},
      {.name = "decay",
       .kind = ParamKind::choice,
       .fallback = "all",
       .choices = {"all", "matrices"},
       .doc = "what decays: all parameters, or only those of two dimensions and more"},
      {.name = "clip_norm",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "largest norm of the whole gradient; 0: no clipping"},
      {.name = "reduction",
       .kind = ParamKind::choice,
       .fallback = "mean",
       .choices = {"mean", "sum", "characters", "model"},
       .doc = "CTC over the batch: PyTorch's mean or sum, or the sum divided by the target "
              "characters; model: as the model's config.json says, zero_infinity included"},
      {.name = "zero_infinity",
       .kind = ParamKind::boolean,
       .fallback = true,
       .doc = "a transcript too long for its frames counts as no loss instead of an infinite one"},
      {.name = "distillation_weight",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "of T^2 KL(teacher || model), a mean over frames, which is added to the CTC loss; "
              "above 0 where there is a teacher"},
      {.name = "distillation_temperature",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0.1,
       .maximum = 100,
       .doc = "T, by which both models' logits are divided"},
      {.name = "fake_quantize_from",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "when fake quantization begins, if the model is calibrated; until then it trains in "
              "float and its ranges follow: a share of the steps up to 1, a number of steps above"},
      {.name = "freeze_observers_at",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0,
       .doc = "when activation ranges stay as they are, not before fake quantization begins: a "
              "share of the steps up to 1, a number of steps above"},
      {.name = "log_every_steps",
       .kind = ParamKind::integer,
       .fallback = 20,
       .minimum = 1,
       .doc = "steps between lines of metrics.jsonl",
       .may_change = true},
      {.name = "checkpoint_every_s",
       .kind = ParamKind::number,
       .fallback = 600,
       .unit = "s",
       .minimum = 0,
       .doc = "time between checkpoints; 0: only when interrupted",
       .may_change = true},
      {.name = "keep_checkpoints",
       .kind = ParamKind::integer,
       .fallback = 2,
       .minimum = 1,
       .maximum = 1000,
       .doc = "how many checkpoints are kept",
       .may_change = true},
  };
}

Phases phases_of(const TrainParams& params, int64_t steps) {
  const auto step = [&](double at) {
    return static_cast<int64_t>(at > 1 ? at : at * static_cast<double>(steps));
  };
  const int64_t from = step(params.fake_quantize_from);
  return {from, std::max(from, step(params.freeze_observers_at))};
}

TrainParams read_train_params(const graph::Params& params, const model::Config& config) {
  const bool as_model = params.text("reduction") == "model";
  const std::string reduction = as_model ? config.ctc_loss_reduction : params.text("reduction");
  return {
      .epochs = params.integer("epochs"),
      .options = {.beta1 = params.number("beta1"),
                  .beta2 = params.number("beta2"),
                  .epsilon = params.number("epsilon"),
                  .weight_decay = params.number("weight_decay"),
                  .decay_matrices_only = params.text("decay") == "matrices",
                  .clip_norm = params.number("clip_norm"),
                  .reduction = reduction == "mean"  ? model::CtcReduction::mean
                               : reduction == "sum" ? model::CtcReduction::sum
                                                    : model::CtcReduction::characters,
                  .zero_infinity =
                      as_model ? config.ctc_zero_infinity : params.flag("zero_infinity"),
                  .distillation_weight = params.number("distillation_weight"),
                  .distillation_temperature = params.number("distillation_temperature")},
      .schedule = {.kind = params.text("schedule") == "cosine"
                               ? model::ScheduleOptions::Kind::cosine
                               : model::ScheduleOptions::Kind::constant,
                   .lr = params.number("lr"),
                   .lr_min = params.number("lr_min"),
                   .t_max = params.number("t_max"),
                   .per_epoch = params.text("schedule_unit") == "epoch",
                   .warmup_share = params.number("warmup_share")},
      .fake_quantize_from = params.number("fake_quantize_from"),
      .freeze_observers_at = params.number("freeze_observers_at"),
      .log_every_steps = params.integer("log_every_steps"),
      .checkpoint_every_s = params.number("checkpoint_every_s"),
      .keep_checkpoints = static_cast<int>(params.integer("keep_checkpoints")),
  };
}

}  // namespace flowqat::nodes
