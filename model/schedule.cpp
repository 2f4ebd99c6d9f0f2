#include "model/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "model/model.h"

namespace flowqat::model {
namespace {

using Kind = ScheduleOptions::Kind;

[[noreturn]] void refuse(const std::string& complaint) { throw Error("schedule: " + complaint); }

int64_t warmup_of(const ScheduleOptions& options, int64_t steps_total) {
  if (options.warmup_share <= 0) return options.warmup_steps;
  const double steps = options.warmup_share * static_cast<double>(steps_total);
  return std::max<int64_t>(1, static_cast<int64_t>(steps));
}

double warming_up(const ScheduleOptions& options, int64_t step, int64_t warmup_steps) {
  const auto all = static_cast<double>(warmup_steps);
  const auto done = static_cast<double>(step);
  if (options.warmup_start < 0) return options.lr * (done + 1) / all;
  const double first = options.lr * options.warmup_start;
  return first + (options.lr - first) * done / all;
}

/// A share of the run's steps up to 1, a number of steps above.
int64_t steps_of(double share_or_steps, int64_t steps_total) {
  return static_cast<int64_t>(
      share_or_steps > 1 ? share_or_steps : share_or_steps * static_cast<double>(steps_total));
}

/// `step` counts from the end of the warm-up.
double tri_stage(const ScheduleOptions& options, int64_t step, int64_t steps_left,
                 int64_t steps_total) {
  const int64_t hold = steps_of(options.hold_for, steps_total);
  if (step < hold) return options.lr;
  const int64_t decay = options.decay_for > 0 ? steps_of(options.decay_for, steps_total)
                                              : std::max<int64_t>(0, steps_left - hold);
  if (step - hold > decay || decay == 0) return options.lr * options.final_lr_scale;
  const double rate = -std::log(options.final_lr_scale) / static_cast<double>(decay);
  return options.lr * std::exp(-rate * static_cast<double>(step - hold));
}

/// From lr down to lr_min; `part` of the way is gone.
double falling(const ScheduleOptions& options, double part) {
  const double range = options.lr - options.lr_min;
  if (options.kind == Kind::cosine) {
    return options.lr_min + range * (1 + std::cos(std::numbers::pi * part)) / 2;
  }
  if (part >= 1) return options.lr_min;
  return options.lr_min +
         range * std::pow(1 - part, options.kind == Kind::linear ? 1 : options.power);
}

}  // namespace

void check_schedule(const ScheduleOptions& options) {
  if (!(options.warmup_share >= 0 && options.warmup_share <= 1)) {
    refuse("warmup_share must be from 0 to 1, found " + std::to_string(options.warmup_share));
  }
  if (options.warmup_steps < 0) {
    refuse("warmup_steps must be 0 or more, found " + std::to_string(options.warmup_steps));
  }
  if (options.warmup_share > 0 && options.warmup_steps > 0) {
    refuse("give warmup_share or warmup_steps, not both");
  }
  if (!(options.warmup_start <= 1)) {
    refuse("warmup_start must be at most 1, found " + std::to_string(options.warmup_start));
  }
  if (!(options.t_max >= 0)) {
    refuse("t_max must be 0 (the whole run) or more, found " + std::to_string(options.t_max));
  }
  const bool by_steps_alone = options.kind == Kind::inverse_sqrt || options.kind == Kind::tri_stage;
  if (options.per_epoch && by_steps_alone) {
    refuse("inverse_sqrt and tri_stage count steps; schedule_unit \"epoch\" is for the others");
  }
  if (options.kind == Kind::inverse_sqrt && options.warmup_share == 0 &&
      options.warmup_steps == 0) {
    refuse("inverse_sqrt falls from where its warm-up ends: give warmup_steps or warmup_share");
  }
  if (options.kind == Kind::tri_stage &&
      !(options.final_lr_scale > 0 && options.final_lr_scale <= 1)) {
    refuse("final_lr_scale must be above 0 and at most 1, found " +
           std::to_string(options.final_lr_scale));
  }
}

double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps_total,
                     int64_t epoch, int64_t epochs_total) {
  check_schedule(options);
  const int64_t warmup_steps = warmup_of(options, steps_total);
  if (step < warmup_steps) return warming_up(options, step, warmup_steps);
  const int64_t steps_left = steps_total - warmup_steps;
  switch (options.kind) {
    case Kind::constant:
      return options.lr;
    case Kind::inverse_sqrt:
      return options.lr * std::sqrt(static_cast<double>(warmup_steps) / static_cast<double>(step));
    case Kind::tri_stage:
      return tri_stage(options, step - warmup_steps, steps_left, steps_total);
    default:
      break;
  }
  double period = options.t_max;
  if (period == 0) {
    if (options.per_epoch && epochs_total <= 0) {
      refuse(
          "a rate that moves by epochs over the whole run needs the number of epochs; give t_max "
          "or epochs_total");
    }
    const int64_t all = options.per_epoch ? epochs_total : steps_left;
    period = static_cast<double>(std::max<int64_t>(1, all));
  }
  const int64_t t = options.per_epoch ? epoch : step - warmup_steps;
  return falling(options, static_cast<double>(t) / period);
}

}  // namespace flowqat::model
