#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Lists the utterances that cannot be learnt from as they come: longer than max_duration_s,
/// without a frame, or with more tokens than their frames can say. Each time counts, as speed
/// perturbation changes the frames.
class UselessUtterances : public Attendant {
 public:
  explicit UselessUtterances(const graph::Pipeline& pipeline) : pipeline_(pipeline) {}
  void begin(Training& training) override;
  void after_batch(Training& training, const Heard& heard) override;
  void end(Training& training) override;

 private:
  const graph::Pipeline& pipeline_;
};

/// Frames that CTC needs for a target: one a token, and a blank between two that are the same.
int64_t frames_for(const std::vector<int32_t>& target);

}  // namespace flowqat::nodes
