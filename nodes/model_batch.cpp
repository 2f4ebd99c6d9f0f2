#include "nodes/model_batch.h"

namespace flowqat::nodes {
namespace {

std::vector<model::MaskSpan> to_model_spans(const std::vector<graph::MaskSpan>& spans) {
  std::vector<model::MaskSpan> result;
  result.reserve(spans.size());
  for (const graph::MaskSpan& span : spans) result.push_back({span.start, span.length});
  return result;
}

}  // namespace

ModelBatch to_model_batch(const graph::Batch& batch, const io::Tokenizer& tokenizer) {
  ModelBatch result;
  model::AudioBatch& audio = result.audio;
  audio.padded_samples = batch.padded_samples;
  for (const graph::Row& row : batch.rows) {
    if (row.rejected) continue;
    result.rows.push_back(&row);
    audio.lengths_samples.push_back(row.samples);
    audio.targets.push_back(tokenizer.encode(row.entry->transcript, &result.unknown_characters));
    audio.time_masks.push_back(to_model_spans(row.time_masks));
    audio.channel_masks.push_back(to_model_spans(row.channel_masks));
  }
  audio.rows = static_cast<int64_t>(result.rows.size());
  audio.samples = batch.samples;
  if (result.rows.size() < batch.rows.size()) {
    for (size_t row = 0; row < batch.rows.size(); ++row) {
      if (batch.rows[row].rejected) continue;
      const auto samples = batch.row_samples(row);
      result.compacted.insert(result.compacted.end(), samples.begin(), samples.end());
    }
    audio.samples = result.compacted;
  }
  return result;
}

}  // namespace flowqat::nodes
