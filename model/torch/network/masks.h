/// The learned mask of wav2vec2's SpecAugment: hidden frames become the mask embedding, hidden
/// channels zero (wav2vec 2.0, arXiv:2006.11477, section 4.2 and appendix B).
#pragma once
#include <torch/torch.h>

#include <vector>

#include "model/model.h"

namespace flowqat::model {

/// Bool [rows, size] on the CPU, true inside a row's spans; undefined where no row has any. Throws
/// Error for a span that leaves [0, size), naming row and span; `what` is "time" or "channel".
torch::Tensor mask_of_spans(const std::vector<std::vector<MaskSpan>>& spans, int64_t rows,
                            int64_t size, const char* what);

/// x: [rows, frames, hidden]. time_mask: undefined or [rows, frames]; channel_mask: undefined or
/// [rows, hidden]; embedding: [hidden].
torch::Tensor apply_masks(const torch::Tensor& x, const torch::Tensor& time_mask,
                          const torch::Tensor& channel_mask, const torch::Tensor& embedding);

}  // namespace flowqat::model
