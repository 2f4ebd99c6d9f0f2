#pragma once
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/training/adamw.h"

namespace flowqat::model {

/// Puts the gradients of a round's batches by while another batch is heard, whose backward may fail
/// midway: what it leaves at the parameters is then its own alone, and is dropped.
///
/// That takes no pass of its own: the sum that autograd would make parameter by parameter is made
/// here over all of them in one. Nor does it take more memory at its highest, the end of the
/// forward, where there are no new gradients yet; only a batch whose activations are smaller than
/// the model's weights comes to more at the backward's end, by the weights' size.
class GradientsApart {
 public:
  /// `taught`: Round::taught, empty or of as many as the parameters. It outlives this object.
  GradientsApart(std::vector<AdamW::Parameter> parameters, std::vector<at::Tensor>& taught);
  /// Unless they were joined, what came since is dropped, and what was before stands there again.
  ~GradientsApart();
  GradientsApart(const GradientsApart&) = delete;
  GradientsApart& operator=(const GradientsApart&) = delete;

  /// The gradients become the sums of what was before and what came since.
  void join();

 private:
  void put_back();

  std::vector<AdamW::Parameter> parameters_;
  std::vector<at::Tensor>& taught_;
  std::vector<at::Tensor> before_, taught_before_;
};

}  // namespace flowqat::model
