#pragma once
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/training/adamw.h"

namespace flowqat::model {

/// The exponential moving average of some parameters, on their device: e <- d e + (1 - d) w, begun
/// as they are at first (Polyak and Juditsky 1992; the numbers of torch.optim.swa_utils'
/// get_ema_multi_avg_fn).
class WeightAverage {
 public:
  /// Holds on to the parameters' values.
  WeightAverage(const std::vector<AdamW::Parameter>& parameters, double decay);
  /// After each update; left as it is where that was skipped. `skipped`: [] bool on the device.
  void follow(const at::Tensor& skipped);
  /// The parameters take the average's values, and the average theirs.
  void exchange();

  /// NAME.average (F32) of every parameter, copied.
  Tensors state() const;
  /// Throws Error that lists every missing, unexpected and wrongly shaped tensor.
  void load_state(const Tensors& state);
  /// Whether a tensor of a checkpoint belongs to state().
  static bool is_part(const Tensor& tensor);

 private:
  double decay_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> values_, averages_;
};

}  // namespace flowqat::model
