#include "model/torch/network/masks.h"

#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace flowqat::model {

at::Tensor mask_of_spans(const std::vector<std::vector<MaskSpan>>& spans, int64_t rows,
                         int64_t size, const char* what) {
  if (std::ranges::all_of(spans, [](const auto& row) { return row.empty(); })) return {};
  at::Tensor mask = at::zeros({rows, size}, at::kBool);
  bool* const hidden = mask.data_ptr<bool>();
  for (size_t row = 0; row < spans.size(); ++row) {
    for (const MaskSpan& span : spans[row]) {
      if (span.start < 0 || span.length < 0 || int64_t{span.start} + span.length > size) {
        throw Error(std::string("batch: the ") + what + " mask of row " + std::to_string(row) +
                    " hides " + std::to_string(span.length) + " places from " +
                    std::to_string(span.start) + ", but there are only " + std::to_string(size));
      }
      std::fill_n(hidden + static_cast<int64_t>(row) * size + span.start, span.length, true);
    }
  }
  return mask;
}

Speech hide_padding(const at::Tensor& x, const at::Tensor& frame_mask) {
  if (!frame_mask.defined()) return {x, {}};
  return {x.masked_fill(frame_mask.logical_not().unsqueeze(-1), 0),
          frame_mask.unsqueeze(1).unsqueeze(1)};
}

at::Tensor apply_masks(const at::Tensor& x, const at::Tensor& time_mask,
                       const at::Tensor& channel_mask, const at::Tensor& embedding) {
  at::Tensor y = x;
  if (time_mask.defined()) y = at::where(time_mask.unsqueeze(-1), embedding, y);
  if (channel_mask.defined()) y = y.masked_fill(channel_mask.unsqueeze(1), 0);
  return y;
}

}  // namespace flowqat::model
