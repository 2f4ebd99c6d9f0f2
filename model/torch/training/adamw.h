#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// AdamW with decoupled weight decay (arXiv:1711.05101), in LibTorch's fused kernel: the numbers of
/// torch.optim.AdamW. A parameter without a gradient is left alone: neither moved, nor decayed, nor
/// counted, as there.
class AdamW {
 public:
  struct Parameter {
    std::string name;
    at::Tensor value;
    bool may_decay = true;  ///< false: never, whatever the options say
  };

  AdamW(std::vector<Parameter> parameters, const TrainOptions& options);

  /// One step from the parameters' gradients, which it then frees. Clips them to the options'
  /// clip_norm, their norm over all parameters together, as clip_grad_norm_ does. Returns the norm
  /// before clipping, [] float32 on the device.
  at::Tensor step(double learning_rate);

  /// NAME.exp_avg, NAME.exp_avg_sq (F32) and NAME.step (I64, shape [1]) of every parameter, copied.
  Tensors state() const;
  /// Throws Error that lists every missing, unexpected and wrongly shaped tensor.
  void load_state(const Tensors& state);

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor exp_avg, exp_avg_sq;
    at::Tensor step;  // [] float32, on the parameter's device: what the fused kernel reads
    double weight_decay;
  };

  at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients) const;

  TrainOptions options_;
  std::vector<Slot> slots_;
};

}  // namespace flowqat::model
