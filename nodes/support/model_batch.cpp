#include "nodes/support/model_batch.h"

namespace flowqat::nodes {
namespace {

std::vector<model::MaskSpan> to_model_spans(const std::vector<graph::MaskSpan>& spans) {
  std::vector<model::MaskSpan> result;
  result.reserve(spans.size());
  for (const graph::MaskSpan& span : spans) result.push_back({span.start, span.length});
  return result;
}

}  // namespace

ModelBatch to_model_batch(const graph::Batch& batch, const io::Tokenizer& tokenizer,
                          const model::Config& config, const io::TextRules& rules) {
  const io::TextNormalizer normalize(tokenizer, rules);
  ModelBatch result;
  model::AudioBatch& audio = result.audio;
  audio.padded_samples = batch.padded_samples;
  std::vector<size_t> places;
  for (size_t place = 0; place < batch.rows.size(); ++place) {
    const graph::Row& row = batch.rows[place];
    if (row.rejected) continue;
    if (model::frames_of(config, row.samples) == 0) {
      result.too_short.push_back(&row);
      continue;
    }
    places.push_back(place);
    result.rows.push_back(&row);
    audio.lengths_samples.push_back(row.samples);
    audio.targets.push_back(tokenizer.encode(normalize(row.entry->transcript)));
    audio.time_masks.push_back(to_model_spans(row.time_masks));
    audio.channel_masks.push_back(to_model_spans(row.channel_masks));
  }
  audio.rows = static_cast<int64_t>(places.size());
  audio.samples = batch.samples;
  if (places.size() < batch.rows.size()) {
    for (const size_t place : places) {
      const auto samples = batch.row_samples(place);
      result.compacted.insert(result.compacted.end(), samples.begin(), samples.end());
    }
    audio.samples = result.compacted;
  }
  return result;
}

std::vector<model::AudioBatch> one_by_one(const model::AudioBatch& batch) {
  std::vector<model::AudioBatch> rows;
  for (size_t row = 0; row < batch.lengths_samples.size(); ++row) {
    const int64_t length = batch.lengths_samples[row];
    rows.push_back(
        {.samples = batch.samples.subspan(row * static_cast<size_t>(batch.padded_samples),
                                          static_cast<size_t>(length)),
         .rows = 1,
         .padded_samples = length,
         .lengths_samples = {length},
         .targets = {{}},
         .time_masks = {},
         .channel_masks = {}});
  }
  return rows;
}

}  // namespace flowqat::nodes
