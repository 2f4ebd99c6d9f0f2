/// The learning rate of every step as a closed form: a resumed run needs no scheduler state.
#pragma once
#include <cstdint>

namespace flowqat::model {

struct ScheduleOptions {
  /// linear is a polynomial of power 1; the last two move by steps alone.
  enum class Kind { constant, cosine, linear, polynomial, inverse_sqrt, tri_stage };
  Kind kind = Kind::constant;
  double lr = 5e-5;          ///< the peak
  double lr_min = 0;         ///< where cosine (PyTorch's eta_min), line and polynomial end
  double t_max = 0;          ///< from the warm-up to that end, in epochs or steps; 0: the whole run
  double power = 1;          ///< of the polynomial
  bool per_epoch = false;    ///< the rate moves once an epoch; else once an optimizer step
  double warmup_share = 0;   ///< share of the run's steps that climb linearly to the peak
  int64_t warmup_steps = 0;  ///< the same as a number; at most one of the two is above 0
  /// The first rate of the warm-up as a share of the peak; below 0: one step's share.
  double warmup_start = -1;
  /// tri_stage: how long the peak lasts, and the fall to final_lr_scale x lr: a share of the run's
  /// steps up to 1, a number of steps above. A decay of 0 takes all steps that are left.
  double hold_for = 0, decay_for = 0;
  double final_lr_scale = 0.01;
};

/// Throws Error for options that are out of range or contradict each other, by their names.
void check_schedule(const ScheduleOptions& options);

/// The rate of the optimizer step `step` (from 0) of `steps_total`, in epoch `epoch` (from 0) of
/// `epochs_total` (looked at only where the rate moves by epochs over the whole run).
///
/// Warm-up, over w steps (warmup_steps, or max(1, floor(warmup_share steps_total))):
///   by default lr (step + 1) / w: the peak is reached with the last of them (PyTorch's LinearLR
///   from 1 / w);
///   from a share s = warmup_start on, lr (s + (1 - s) step / w): the peak is reached behind them
///   (transformers and fairseq, where s is 0, and init_lr_scale in the tri-stage schedule).
/// Then, with t steps (or epochs) since, and T as t_max says:
///   cosine        lr_min + (lr - lr_min) (1 + cos(pi t / T)) / 2: PyTorch's CosineAnnealingLR
///                 (Loshchilov and Hutter, arXiv:1608.03983, equation 5); beyond T it rises again
///   polynomial    lr_min + (lr - lr_min) (1 - t / T)^power, lr_min beyond T: transformers'
///                 polynomial schedule, fairseq's polynomial_decay, PyTorch's PolynomialLR
///   inverse_sqrt  lr sqrt(w / step): fairseq's inverse_sqrt (Vaswani et al., arXiv:1706.03762,
///                 section 5.3)
///   tri_stage     lr for hold_for steps, lr final_lr_scale^(t / d) over the d steps of the decay,
///                 lr final_lr_scale behind it: fairseq's tri_stage (Park et al.,
///                 arXiv:1904.08779, section 3.2)
/// t counts epochs from the run's first one. Throws Error as check_schedule() does, and for a whole
/// run of unknown epochs.
double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps_total,
                     int64_t epoch, int64_t epochs_total = 0);

}  // namespace flowqat::model
