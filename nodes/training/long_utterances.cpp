#include "nodes/training/long_utterances.h"

#include <algorithm>
#include <utility>

namespace flowqat::nodes {
namespace {

/// Those elements of a list, a row each, or nothing of an empty one.
template <class Element>
std::vector<Element> chosen(std::vector<Element>& list, const std::vector<size_t>& places) {
  std::vector<Element> result;
  if (list.empty()) return result;
  for (const size_t place : places) result.push_back(std::move(list[place]));
  return result;
}

}  // namespace

std::vector<const graph::Row*> leave_out_long(ModelBatch& batch, double most_s) {
  std::vector<const graph::Row*> left_out;
  std::vector<size_t> kept;
  for (size_t row = 0; row < batch.rows.size(); ++row) {
    if (most_s > 0 && batch.rows[row]->entry->shape.seconds() > most_s) {
      left_out.push_back(batch.rows[row]);
    } else {
      kept.push_back(row);
    }
  }
  if (left_out.empty()) return left_out;
  model::AudioBatch& audio = batch.audio;
  int64_t longest = 0;
  for (const size_t row : kept) longest = std::max(longest, audio.lengths_samples[row]);
  std::vector<float> samples;
  for (const size_t row : kept) {
    const auto from = audio.samples.subspan(row * static_cast<size_t>(audio.padded_samples),
                                            static_cast<size_t>(longest));
    samples.insert(samples.end(), from.begin(), from.end());
  }
  batch.compacted = std::move(samples);
  audio.samples = batch.compacted;
  audio.rows = std::ssize(kept);
  audio.padded_samples = longest;
  audio.lengths_samples = chosen(audio.lengths_samples, kept);
  audio.targets = chosen(audio.targets, kept);
  audio.time_masks = chosen(audio.time_masks, kept);
  audio.channel_masks = chosen(audio.channel_masks, kept);
  batch.rows = chosen(batch.rows, kept);
  return left_out;
}

}  // namespace flowqat::nodes
