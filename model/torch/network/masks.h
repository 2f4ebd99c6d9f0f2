/// The learned mask of wav2vec2's SpecAugment: hidden frames become the mask embedding, hidden
/// channels zero (wav2vec 2.0, arXiv:2006.11477, section 4.2 and appendix B).
#pragma once
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// Bool [rows, size] on the CPU, true inside a row's spans; undefined where no row has any. Throws
/// Error for a span that leaves [0, size), naming row and span; `what` is "time" or "channel".
at::Tensor mask_of_spans(const std::vector<std::vector<MaskSpan>>& spans, int64_t rows,
                         int64_t size, const char* what);

/// Frames without the padding behind each row's end.
struct Speech {
  at::Tensor frames;    ///< [rows, frames, hidden], zero in the padding
  at::Tensor key_mask;  ///< bool [rows, 1, 1, frames], true where a frame may be attended to
};
/// x: [rows, frames, hidden]. frame_mask: bool [rows, frames], true for speech; undefined: all of x
/// is, and there is no key mask.
Speech hide_padding(const at::Tensor& x, const at::Tensor& frame_mask);

/// x: [rows, frames, hidden]. time_mask: undefined or [rows, frames]; channel_mask: undefined or
/// [rows, hidden]; embedding: [hidden].
at::Tensor apply_masks(const at::Tensor& x, const at::Tensor& time_mask,
                       const at::Tensor& channel_mask, const at::Tensor& embedding);

}  // namespace flowqat::model
