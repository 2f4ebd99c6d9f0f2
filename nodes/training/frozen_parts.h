#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Lets the head alone learn for as long as the graph says, and tells of a frozen part that was to
/// adapt to quantization.
class FrozenParts : public Attendant {
 public:
  /// `policy`: how the model is quantized; null where it is not.
  explicit FrozenParts(const model::Policy* policy) : policy_(policy) {}
  void begin(Training& training) override;
  void before_step(Training& training) override;

 private:
  const model::Policy* policy_;
  int64_t head_only_until_ = 0;
};

}  // namespace flowqat::nodes
