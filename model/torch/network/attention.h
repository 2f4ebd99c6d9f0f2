#pragma once
#include <torch/torch.h>

#include <memory>

#include "model/config.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

/// Multi-head self-attention (arXiv:1706.03762, section 3.2), scores scaled by head_dim^-0.5.
class Attention : public torch::nn::Module {
 public:
  explicit Attention(const Config& config);
  /// x: [rows, frames, hidden]. key_mask: undefined, or bool [rows, 1, 1, frames], true where a
  /// frame may be attended to.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& key_mask);

 private:
  friend class FastEncoder;

  /// The values [rows, heads, frames, head width], weighted; in training with dropped weights.
  torch::Tensor mix(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                    const torch::Tensor& key_mask) const;

  int64_t heads_;
  double dropout_;
  std::shared_ptr<LinearLayer> q_, k_, v_, out_;
};

}  // namespace flowqat::model
