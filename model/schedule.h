/// The learning rate of every step as a closed form: a resumed run needs no scheduler state.
#pragma once
#include <cstdint>

namespace flowqat::model {

struct ScheduleOptions {
  enum class Kind { constant, cosine };
  Kind kind = Kind::constant;
  double lr = 5e-5;   ///< the peak
  double lr_min = 0;  ///< where the cosine ends (PyTorch's eta_min)
  double t_max = 0;   ///< half a cosine period, in epochs or steps as stepped; 0: the whole run
  bool per_epoch = false;   ///< the cosine moves once an epoch; else once an optimizer step
  double warmup_share = 0;  ///< share of the run's steps that climb linearly to the peak
};

/// The rate of the optimizer step `step` (from 0) of `steps_total`, in epoch `epoch` (from 0) of
/// `epochs_total` (looked at only where the cosine moves by epochs over the whole run).
///
/// Warm-up: lr (step + 1) / w over the first w = max(1, floor(warmup_share steps_total)) steps.
/// Cosine: lr_min + (lr - lr_min) (1 + cos(pi t / T)) / 2, the closed form of PyTorch's
/// CosineAnnealingLR (Loshchilov and Hutter, arXiv:1608.03983, equation 5); t counts epochs, or the
/// steps after the warm-up, and T is t_max, or all of them. Beyond T it rises again, as there.
/// Throws Error for a t_max or warmup_share out of range, or a whole run of unknown epochs.
double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps_total,
                     int64_t epoch, int64_t epochs_total = 0);

}  // namespace flowqat::model
