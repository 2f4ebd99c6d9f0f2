#pragma once
#include "graph/plan.h"
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// What of a training takes memory beside its network and its batches.
struct MemoryUse {
  bool fake_quantized = false;
  bool trains_extractor = true;         ///< not where the feature extractor is frozen
  bool gradient_checkpointing = false;  ///< of the encoder's layers
  bool has_teacher = false, has_average = false;
};

/// About what a process needs in memory while it trains on a batch, in bytes: itself, weights and
/// the optimizer's two moments; and either what the layers keep for the way back, where that
/// begins, or the gradients with what the feature extractor's need at once, where it ends. In
/// float32, as activations are in every precision. Measured with base, a row of 10 s (GB; most
/// resident memory of two steps): float 2.76, with a frozen feature extractor 2.15, with gradient
/// checkpointing 2.59, with both 2.04, with an average of the weights 3.11; with fake quantization
/// 3.42, and checkpointing too 2.72. A test holds this to them.
double training_bytes(const model::Config& config, int64_t rows, int64_t padded_samples,
                      const MemoryUse& use);

/// Tells, before the first step, what the largest batch of the first epoch will need in memory,
/// with its longest utterance, and what is there.
class MemoryForecast : public Attendant {
 public:
  MemoryForecast(const graph::Pipeline& pipeline, bool has_teacher)
      : pipeline_(pipeline), has_teacher_(has_teacher) {}
  void begin(Training& training) override;

 private:
  const graph::Pipeline& pipeline_;
  bool has_teacher_;
};

}  // namespace flowqat::nodes
