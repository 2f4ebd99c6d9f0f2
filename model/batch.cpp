#include "model/batch.h"

#include <string>
#include <type_traits>

namespace flowqat::model {

void check_rows(const char* what, size_t found, int64_t rows, bool may_be_empty) {
  if (found == static_cast<size_t>(rows) || (may_be_empty && found == 0)) return;
  throw Error(std::string("batch: ") + what + " has " + std::to_string(found) + " rows, expected " +
              std::to_string(rows));
}

AudioBatch rows_of(const AudioBatch& batch, int64_t first, int64_t count) {
  const auto part = [&](const auto& list) {
    if (list.empty()) return list;
    return std::decay_t<decltype(list)>(list.begin() + first, list.begin() + first + count);
  };
  return {.samples = batch.samples.subspan(static_cast<size_t>(first * batch.padded_samples),
                                           static_cast<size_t>(count * batch.padded_samples)),
          .rows = count,
          .padded_samples = batch.padded_samples,
          .lengths_samples = part(batch.lengths_samples),
          .targets = part(batch.targets),
          .time_masks = part(batch.time_masks),
          .channel_masks = part(batch.channel_masks)};
}

std::vector<int64_t> checked_frames(const Config& config, const AudioBatch& batch) {
  if (batch.rows < 1 || batch.samples.size() != static_cast<size_t>(batch.rows) *
                                                    static_cast<size_t>(batch.padded_samples)) {
    throw Error("batch: " + std::to_string(batch.samples.size()) + " samples are not " +
                std::to_string(batch.rows) + " rows of " + std::to_string(batch.padded_samples));
  }
  check_rows("lengths_samples", batch.lengths_samples.size(), batch.rows, false);
  std::vector<int64_t> frames;
  for (size_t row = 0; row < batch.lengths_samples.size(); ++row) {
    const int64_t samples = batch.lengths_samples[row];
    if (samples > batch.padded_samples) {
      throw Error("batch: row " + std::to_string(row) + " has " + std::to_string(samples) +
                  " samples, more than the padded length of " +
                  std::to_string(batch.padded_samples));
    }
    frames.push_back(frames_of(config, samples));
    if (frames.back() == 0) {
      throw Error("batch: row " + std::to_string(row) + " has " + std::to_string(samples) +
                  " samples, too few for one frame: give at least " +
                  std::to_string(shortest_samples(config)));
    }
  }
  return frames;
}

}  // namespace flowqat::model
