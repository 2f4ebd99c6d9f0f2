#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/distributed/torch_group.h"

namespace flowqat::model {

/// Sums the gradients of all processes of a group by c10d's Reducer (Li et al. 2020, "PyTorch
/// Distributed", arXiv:2006.15704): in buckets, the last layers' first, while the rest of the way
/// back is still gone. The sum has the same bits in every process. The host does not wait for the
/// parameters' device.
class GradientSum {
 public:
  /// The same parameters in every process, in one order, that of the forward. Holds on to them. All
  /// call it together.
  GradientSum(std::shared_ptr<TorchGroup> group, const std::vector<at::Tensor>& parameters);
  ~GradientSum();

  /// For each parameter, as they were given, 1 where it has a gradient or the way back from `loss`
  /// (which may be undefined) leads to it, else 0.
  std::vector<double> reached_from(const at::Tensor& loss) const;
  /// loss.backward() in every process, then each parameter's gradient becomes the sum of what stood
  /// there in all of them, what was added by backwards before this one included. `reached`: what
  /// reached_from() tells, summed over all processes; a parameter with 0 stays without a gradient.
  /// `loss`: undefined, or without a gradient, where this process has nothing to go back through,
  /// and takes part. Not with a loss whose backward starts others of its own (checkpointed layers):
  /// go back through that before. PeerError as the group says.
  void backward(const at::Tensor& loss, const std::vector<double>& reached);

 private:
  struct Reduced;

  std::shared_ptr<TorchGroup> group_;
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<Reduced> reduced_;
};

}  // namespace flowqat::model
