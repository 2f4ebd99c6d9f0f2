#pragma once
#include <memory>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/distributed/torch_group.h"

namespace flowqat::model {

/// Sums the gradients of all processes of a group by c10d's Reducer (Li et al. 2020, "PyTorch
/// Distributed", arXiv:2006.15704): in buckets, the last layers' first, while the rest of the way
/// back is still gone. The sum has the same bits in every process.
class GradientSum {
 public:
  /// The same parameters in every process, in one order. Holds on to them.
  GradientSum(std::shared_ptr<TorchGroup> group, const std::vector<at::Tensor>& parameters);
  ~GradientSum();

  /// loss.backward() in every process, then each parameter's gradient becomes the sum of what stood
  /// there in all of them, what was added by backwards before this one included. One that has none
  /// in any process stays without. Undefined, or without a gradient: this process has nothing to go
  /// back through, and takes part. Not with a loss whose backward starts others of its own
  /// (checkpointed layers): go back through that before. PeerError as the group says.
  void backward(const at::Tensor& loss);

 private:
  struct Reduced;

  std::shared_ptr<TorchGroup> group_;
  /// What every backward arrives at, also where it arrives at no parameter: the Reducer begins when
  /// the first gradient comes. A 0 that is added to the loss.
  at::Tensor anchor_;
  std::unique_ptr<Reduced> reduced_;
};

}  // namespace flowqat::model
