#include "model/torch/training/loss.h"

#include <ATen/ops/_ctc_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>

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
  std::vector<float> tokens;
  for (const int64_t length : targets.lengths) {
    tokens.push_back(static_cast<float>(std::max<int64_t>(1, length)));
  }
  return (losses / to_device(at::tensor(tokens), losses.device())).sum();
}

}  // namespace

CtcLoss ctc_loss(const at::Tensor& logits, const std::vector<int64_t>& frames,
                 const Targets& targets, int64_t blank, CtcReduction reduction,
                 bool zero_infinity) {
  const at::Tensor log_probs = at::log_softmax(logits.to(at::kFloat), /*dim=*/-1).transpose(0, 1);
  // The inner operator: at::ctc_loss would hide which losses were infinite.
  at::Tensor losses = std::get<0>(
      at::_ctc_loss(log_probs, targets.tokens, frames, targets.lengths, blank, zero_infinity));
  const at::Tensor infinite = losses.detach() == std::numeric_limits<float>::infinity();
  if (zero_infinity) losses = losses.masked_fill(infinite, 0);
  const double denominator = denominator_of(targets, reduction);
  return {summed(losses, targets, reduction) / std::max(1.0, denominator), denominator,
          losses.detach().isfinite(), infinite.sum()};
}

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             const std::vector<int64_t>& frames, double temperature) {
  const auto log_probs = [&](const at::Tensor& logits) {
    return at::log_softmax(logits.to(at::kFloat) / temperature, /*dim=*/-1);
  };
  const at::Tensor wanted = log_probs(teacher.detach());
  const at::Tensor divergence = (wanted.exp() * (wanted - log_probs(student))).sum(-1);
  const at::Tensor speech = to_device(speech_frames(frames, student.size(1)), student.device());
  const auto count = static_cast<double>(std::accumulate(frames.begin(), frames.end(), int64_t{0}));
  return divergence.masked_fill(speech.logical_not(), 0).sum() *
         (temperature * temperature / count);
}

}  // namespace flowqat::model
