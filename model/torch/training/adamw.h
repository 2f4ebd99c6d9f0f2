#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/distributed/torch_group.h"

namespace flowqat::model {

/// AdamW with decoupled weight decay (arXiv:1711.05101), in LibTorch's fused kernel: the numbers of
/// torch.optim.AdamW. A parameter without a gradient is left alone: neither moved, nor decayed, nor
/// counted, as there.
class AdamW {
 public:
  struct Parameter {
    std::string name;
    at::Tensor value;
    double lr_factor = 1;  ///< of the rate that step() is given
    double weight_decay = 0;
  };

  /// Of the options, beta1, beta2, epsilon and clip_norm, and shard_optimizer in a group, which is
  /// null for one process alone.
  AdamW(std::vector<Parameter> parameters, const TrainOptions& options,
        std::shared_ptr<TorchGroup> group = nullptr);

  /// What a step has come to, on the device.
  struct Outcome {
    at::Tensor norm;     ///< [] float32, of the gradient before clipping
    at::Tensor skipped;  ///< [] bool: `loss` or the norm was not a finite number
  };
  /// One step from the parameters' gradients, which it then frees: they are sums, and `divisor`,
  /// times `loss_scale` ([] float32 on the device) where there is one, makes a mean of them. Clips
  /// to the options' clip_norm, the norm over all parameters together, as clip_grad_norm_ does.
  /// Where the step is skipped, values, moments and counts stay as they are. Does not wait for the
  /// device. `loss`: [] on the device, any floating type. In a group all call it, with the same
  /// gradients.
  Outcome step(double learning_rate, double divisor, const at::Tensor& loss,
               const at::Tensor& loss_scale = {});

  /// NAME.exp_avg, NAME.exp_avg_sq (F32) and NAME.step (I64, shape [1]) of every parameter, copied.
  /// Where they are divided all call it, and all but rank 0 get nothing.
  Tensors state() const;
  /// Throws Error that lists every missing, unexpected and wrongly shaped tensor.
  void load_state(const Tensors& state);
  /// All of them, in the order in which they were given.
  std::vector<Parameter> parameters() const;

 private:
  struct Slot {
    Parameter parameter;
    int owner;                       // rank that moves the parameter
    at::Tensor exp_avg, exp_avg_sq;  // the owner's alone
    at::Tensor step;  // [] float32, on the parameter's device: what the fused kernel reads
  };

  at::Tensor gradient_norm(const std::vector<at::Tensor>& gradients) const;
  bool is_own(const Slot& slot) const { return slot.owner == rank_; }
  void hand_over();
  at::Tensor of_owner(const Slot& slot, const at::Tensor& own, at::IntArrayRef shape) const;

  TrainOptions options_;
  std::shared_ptr<TorchGroup> group_;
  bool is_sharded_;
  int rank_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace flowqat::model
