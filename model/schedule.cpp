#include "model/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "model/model.h"

namespace flowqat::model {

double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps_total,
                     int64_t epoch, int64_t epochs_total) {
  if (!(options.warmup_share >= 0 && options.warmup_share <= 1)) {
    throw Error("schedule: warmup_share must be from 0 to 1, found " +
                std::to_string(options.warmup_share));
  }
  if (!(options.t_max >= 0)) {
    throw Error("schedule: t_max must be 0 (the whole run) or more, found " +
                std::to_string(options.t_max));
  }
  int64_t warmup_steps = 0;
  if (options.warmup_share > 0) {
    const double steps = options.warmup_share * static_cast<double>(steps_total);
    warmup_steps = std::max<int64_t>(1, static_cast<int64_t>(steps));
  }
  if (step < warmup_steps) {
    return options.lr * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  }
  if (options.kind == ScheduleOptions::Kind::constant) return options.lr;

  const int64_t t = options.per_epoch ? epoch : step - warmup_steps;
  double period = options.t_max;
  if (period == 0) {
    if (options.per_epoch && epochs_total <= 0) {
      throw Error(
          "schedule: a cosine by epochs over the whole run needs the number of epochs; "
          "give t_max or epochs_total");
    }
    const int64_t all = options.per_epoch ? epochs_total : steps_total - warmup_steps;
    period = static_cast<double>(std::max<int64_t>(1, all));
  }
  const double cosine = std::cos(std::numbers::pi * static_cast<double>(t) / period);
  return options.lr_min + (options.lr - options.lr_min) * (1 + cosine) / 2;
}

}  // namespace flowqat::model
