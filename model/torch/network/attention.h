#pragma once
#include <memory>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

/// Multi-head self-attention (arXiv:1706.03762, section 3.2), scores scaled by head_dim^-0.5.
class Attention : public Module {
 public:
  explicit Attention(const Config& config);
  /// x: [rows, frames, hidden]. key_mask: undefined, or bool [rows, 1, 1, frames], true where a
  /// frame may be attended to.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& key_mask);

 private:
  /// The values [rows, heads, frames, head width], weighted; in training with dropped weights.
  at::Tensor mix(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                 const at::Tensor& key_mask) const;

  int64_t heads_;
  double dropout_;
  std::shared_ptr<LinearLayer> q_, k_, v_, out_;
};

}  // namespace flowqat::model
