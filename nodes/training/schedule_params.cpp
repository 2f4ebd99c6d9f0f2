/// The learning rate of every step.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
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
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.schedule.kind = params.text("schedule") == "cosine" ? model::ScheduleOptions::Kind::cosine
                                                          : model::ScheduleOptions::Kind::constant;
  out.schedule.lr = params.number("lr");
  out.schedule.lr_min = params.number("lr_min");
  out.schedule.t_max = params.number("t_max");
  out.schedule.per_epoch = params.text("schedule_unit") == "epoch";
  out.schedule.warmup_share = params.number("warmup_share");
}

}  // namespace

ParamGroup schedule_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
