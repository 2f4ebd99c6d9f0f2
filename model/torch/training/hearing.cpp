/// How the rows of a batch add to a round: forward, losses, backward.
#include <ATen/Context.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "model/torch/network/batch.h"
#include "model/torch/training/trainer.h"

namespace flowqat::model {
namespace {

/// What is drawn on the CPU, layers that are dropped, is the same in both halves of a batch; what
/// is drawn on the device is of each half's own.
void seed_generators(uint64_t seed, bool is_second_half, const at::Device& device) {
  at::manual_seed(seed);
  if (!is_second_half) return;
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed ^ 0x9e3779b97f4a7c15);
}

}  // namespace

at::Tensor TorchTrainer::wanted_logits(const TrainingBatch& batch) const {
  const at::NoGradGuard no_grad;
  return teacher_->evaluate(unmasked(teacher_->config(), batch));
}

/// Before each part: the ranges are as the round found them.
void TorchTrainer::begin_round() {
  if (round_.losses.defined()) return round_.ranges.restore();
  round_.ranges.keep(model_.network());
  round_.losses = at::zeros({3}, sums_.options());
}

void TorchTrainer::hear(const Part& part) {
  const TrainingBatch all = training_batch(model_.config(), part.rows, model_.device());
  const at::Tensor wanted = teacher_ ? wanted_logits(all) : at::Tensor();
  begin_round();
  model_.begin_training(all.input);
  seed_generators(part.seed, part.is_second_half, model_.device());

  const at::Tensor logits = model_.network().forward(all.input);
  const CtcLoss ctc = ctc_loss(logits, all.frames, all.targets, model_.config().pad_token_id,
                               options_.reduction, options_.zero_infinity);
  const at::Tensor taught =
      teacher_ ? distillation_loss(logits, wanted, all.frames, options_.distillation_temperature)
               : at::Tensor();
  if (part.is_second_half) {
    at::Tensor& rows = round_.finite.back().rows;
    rows = at::cat({rows, ctc.finite});
  } else {
    round_.finite.push_back({part.batch, ctc.finite});
    ++round_.batches;
    round_.has_own = true;
  }
  go_back(part, ctc, taught, all.frames.total());
  if (part.sums_up) round_.widest.add(model_.network());
}

void TorchTrainer::go_back(const Part& part, const CtcLoss& ctc, const at::Tensor& taught,
                           int64_t frames) {
  // Where all that learns was dropped from this batch, there is nothing to go back to.
  const auto backward = [](const at::Tensor& loss, bool again = false) {
    if (loss.requires_grad()) loss.backward(/*gradient=*/{}, /*retain_graph=*/again);
  };
  at::Tensor total = ctc.value, divergence = at::zeros({}, sums_.options());
  if (!part.sums_up) {
    // The denominators are at hand, and no pass of its own is needed for them.
    if (teacher_) total = total + options_.distillation_weight * taught;
    backward(scaled(total));
    round_.denominator = 1;
  } else {
    total = total * std::max(1.0, ctc.denominator);
    const at::Tensor sum = teacher_ ? taught * static_cast<double>(frames) : at::Tensor();
    round_.denominator += ctc.denominator;
    if (teacher_) {
      divergence = sum.detach().to(at::kDouble);
      round_.frames += frames;
    }
    if (group_ && part.is_last && !options_.gradient_checkpointing) {
      sum_over_all(scaled(total), teacher_ ? scaled(sum) : sum);
    } else {
      backward(scaled(total), /*again=*/teacher_ != nullptr);
      if (teacher_) {
        exchange_gradients(round_.taught);
        backward(scaled(sum));
        exchange_gradients(round_.taught);
      }
    }
  }
  const at::NoGradGuard no_grad;
  round_.losses = round_.losses + at::stack({total.detach().to(at::kDouble), divergence,
                                             ctc.infinite.to(at::kDouble)});
}

void TorchTrainer::exchange_gradients(std::vector<at::Tensor>& others) {
  const std::vector<AdamW::Parameter> parameters = optimizer_.parameters();
  others.resize(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    std::swap(parameters[i].value.mutable_grad(), others[i]);
  }
}

}  // namespace flowqat::model
