#include "nodes/training/frozen_parts.h"

#include "graph/plain_numbers.h"

namespace flowqat::nodes {

void FrozenParts::begin(Training& training) {
  const TrainParams& params = training.params;
  graph::Reporter& reporter = training.context.reporter();
  head_only_until_ = steps_of(params.head_only_for, training.steps);
  if (head_only_until_ >= training.steps && training.steps > 0) {
    reporter.say(training.name + ": \"head_only_for\" lasts for all of the " +
                 graph::whole_text(training.steps) + " steps: nothing but the head will learn");
  }
  const bool is_quantized = policy_ != nullptr && policy_->feature_extractor.has_value();
  if (is_quantized && params.options.feature_gradient_scale == 0) {
    reporter.say(training.name +
                 ": the feature extractor is quantized, but frozen: its weights cannot adapt, only "
                 "the ranges of its activations still follow");
  }
}

void FrozenParts::before_step(Training& training) {
  training.trainer.train_head_only(training.progress.step < head_only_until_);
}

}  // namespace flowqat::nodes
