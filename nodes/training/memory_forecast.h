#pragma once
#include "graph/plan.h"
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// About what a step over a batch needs in memory, in float32: what the way back needs of every
/// layer, and the gradients at work. Measured with base, a row of 10 s: 2.7 GB in float and 3.4 GB
/// with fake quantization, all of a process; here 2.7 and 3.3 with what stands.
/// `fake_quantized`: what rounding keeps besides.
double step_bytes(const model::Config& config, int64_t rows, int64_t padded_samples,
                  bool fake_quantized);

/// What stays all the time: weights, gradients, the optimizer's two moments, and a teacher's
/// weights.
double standing_bytes(const model::Config& config, bool has_teacher);

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
