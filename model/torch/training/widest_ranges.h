#pragma once
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"
#include "model/torch/distributed/torch_group.h"

namespace flowqat::model {

/// The ranges of a round's fake quantizers, as if its batches were one: each batch moves them from
/// where they stood at the round's start, and the round's end takes the widest. (A moving range is
/// r + c (x - r), which grows with x; so the widest is what the extremes of all batches together
/// would have come to.) Of activations alone: a weight is the same in every batch.
class WidestRanges {
 public:
  /// Takes in the ranges as they are behind a batch.
  void add(const Module& network);
  /// Over all processes; whoever had no batch brings nothing.
  void join(const Module& network, TorchGroup& group);
  /// Into the quantizers, with the scales that follow. Where nothing was added they stay.
  void put(const Module& network) const;

  /// float32 [2 n] on the network's device: minima, then maxima negated; undefined before add().
  const at::Tensor& ends() const { return ends_; }
  void set_ends(const at::Tensor& ends) { ends_ = ends; }

 private:
  at::Tensor ends_;
};

}  // namespace flowqat::model
