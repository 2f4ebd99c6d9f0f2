#include "model/torch/training/loss.h"

#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <limits>

#include "model/torch/operators/ctc.h"

namespace flowqat::model {
namespace {

double denominator_of(const Targets& targets, CtcReduction reduction) {
  switch (reduction) {
    case CtcReduction::mean:
    case CtcReduction::utterances:
      return static_cast<double>(targets.lengths.size());
    case CtcReduction::characters:
      return static_cast<double>(targets.tokens.numel());
    case CtcReduction::sum:
      break;
  }
  return 1;
}

at::Tensor summed(const at::Tensor& losses, const Targets& targets, CtcReduction reduction) {
  if (reduction != CtcReduction::mean) return losses.sum();
  const at::Tensor tokens = targets.lengths_there.clamp_min(1).to(at::kFloat);
  return (losses / tokens).sum();
}

}  // namespace

CtcLoss ctc_loss(const at::Tensor& logits, const SpeechFrames& frames, const Targets& targets,
                 int64_t blank, CtcReduction reduction, bool zero_infinity) {
  const at::Tensor log_probs = at::log_softmax(logits.to(at::kFloat), /*dim=*/-1).transpose(0, 1);
  at::Tensor losses = ctc_losses(
      log_probs,
      {targets.tokens, frames.counts, targets.lengths, frames.there, targets.lengths_there}, blank,
      zero_infinity);
  const at::Tensor infinite = losses.detach() == std::numeric_limits<float>::infinity();
  if (zero_infinity) losses = losses.masked_fill(infinite, 0);
  const double denominator = denominator_of(targets, reduction);
  return {summed(losses, targets, reduction) / std::max(1.0, denominator), denominator,
          losses.detach().isfinite(), infinite.sum()};
}

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             const SpeechFrames& frames, double temperature) {
  const auto log_probs = [&](const at::Tensor& logits) {
    return at::log_softmax(logits.to(at::kFloat) / temperature, /*dim=*/-1);
  };
  const at::Tensor wanted = log_probs(teacher.detach());
  const at::Tensor divergence = (wanted.exp() * (wanted - log_probs(student))).sum(-1);
  return divergence.masked_fill(frames.mask.logical_not(), 0).sum() *
         (temperature * temperature / static_cast<double>(frames.total()));
}

}  // namespace flowqat::model
