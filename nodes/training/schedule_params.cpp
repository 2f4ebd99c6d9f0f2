/// The learning rate of every step.
#include <algorithm>
#include <string>
#include <utility>

#include "graph/error.h"
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

using Kind = model::ScheduleOptions::Kind;

constexpr std::pair<const char*, Kind> kSchedules[] = {
    {"constant", Kind::constant},   {"cosine", Kind::cosine},
    {"linear", Kind::linear},       {"polynomial", Kind::polynomial},
    {"tri_stage", Kind::tri_stage}, {"inverse_sqrt", Kind::inverse_sqrt},
};

std::vector<std::string> schedule_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kSchedules) names.emplace_back(name);
  return names;
}

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
       .doc = "where cosine, linear and polynomial end"},
      {.name = "schedule",
       .kind = ParamKind::choice,
       .fallback = "cosine",
       .choices = schedule_names(),
       .doc = "how the rate moves behind the warm-up: PyTorch's CosineAnnealingLR, a line or a "
              "polynomial down to lr_min, fairseq's tri_stage (held, then an exponential fall) or "
              "inverse_sqrt"},
      {.name = "schedule_unit",
       .kind = ParamKind::choice,
       .fallback = "step",
       .choices = {"step", "epoch"},
       .doc = "what cosine, linear and polynomial count: optimizer steps, or epochs as when "
              "stepped once an epoch"},
      {.name = "t_max",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "units from the warm-up to the end of cosine, linear and polynomial; 0: the whole "
              "training"},
      {.name = "power",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0,
       .doc = "of the polynomial"},
      {.name = "warmup_share",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .maximum = 1,
       .doc = "share of the steps in which the rate first rises linearly"},
      {.name = "warmup_steps",
       .kind = ParamKind::integer,
       .fallback = 0,
       .unit = "steps",
       .minimum = 0,
       .doc = "the same as a number, instead of a share"},
      {.name = "warmup_start",
       .kind = ParamKind::number,
       .fallback = -1,
       .minimum = -1,
       .maximum = 1,
       .doc = "where it begins to rise, as a share of lr: 0 as in transformers, fairseq's "
              "init_lr_scale; -1: a step's share of the way, so that the last of its steps is at "
              "the peak"},
      {.name = "hold_for",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "how long tri_stage stays at the peak: a share of the steps up to 1, a number of "
              "steps above"},
      {.name = "decay_for",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "how long tri_stage falls: a share of the steps up to 1, a number of steps above; "
              "0: to the end of the training"},
      {.name = "final_lr_scale",
       .kind = ParamKind::number,
       .fallback = 0.01,
       .minimum = 0,
       .maximum = 1,
       .doc = "the share of lr that tri_stage falls to"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  model::ScheduleOptions& schedule = out.schedule;
  const auto found = std::ranges::find_if(
      kSchedules, [&](const auto& named) { return params.text("schedule") == named.first; });
  schedule.kind = found->second;
  schedule.lr = params.number("lr");
  schedule.lr_min = params.number("lr_min");
  schedule.t_max = params.number("t_max");
  schedule.power = params.number("power");
  schedule.per_epoch = params.text("schedule_unit") == "epoch";
  schedule.warmup_share = params.number("warmup_share");
  schedule.warmup_steps = params.integer("warmup_steps");
  schedule.warmup_start = params.number("warmup_start");
  schedule.hold_for = params.number("hold_for");
  schedule.decay_for = params.number("decay_for");
  schedule.final_lr_scale = params.number("final_lr_scale");
  try {
    model::check_schedule(schedule);
  } catch (const model::Error& error) {
    throw graph::GraphError(error.what());
  }
}

}  // namespace

ParamGroup schedule_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
