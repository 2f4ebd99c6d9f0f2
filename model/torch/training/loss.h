/// Connectionist temporal classification (Graves et al., ICML 2006), and distillation (Hinton et
/// al., arXiv:1503.02531).
#pragma once
#include <cstdint>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/batch.h"

namespace flowqat::model {

struct CtcLoss {
  at::Tensor value;     ///< [] float32, differentiable
  double denominator;   ///< of `value`: rows, target tokens or 1, as reduced
  at::Tensor finite;    ///< [rows] bool: the loss is a number, or was set to 0; on the device
  at::Tensor infinite;  ///< [] int64, rows whose target does not fit their frames; on the device
};

/// logits: [rows, frames, vocabulary], any floating type; the softmax and the loss are float32.
/// Only each row's frames of speech count: Hugging Face, without an attention mask, counts the
/// padding too, which lets the blank be learnt from silence that was never recorded.
///
/// Losses of several batches are one's of all their rows when each value is multiplied by its
/// denominator, and their sum divided by the denominators' sum (but 1 for CtcReduction::sum).
/// Does not wait for the device.
CtcLoss ctc_loss(const at::Tensor& logits, const SpeechFrames& frames, const Targets& targets,
                 int64_t blank, CtcReduction reduction, bool zero_infinity);

/// T^2 KL(teacher || student) of the softmax at `temperature` T, as a mean over the frames of
/// speech: what is behind a row's `frames` does not count. T^2 keeps the gradient's size where T
/// changes (section 2 there). Both: [rows, frames, vocabulary] on one device, any floating type;
/// computed in float32. -> [] float32, differentiable by the student alone; does not wait for the
/// device.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             const SpeechFrames& frames, double temperature);

}  // namespace flowqat::model
