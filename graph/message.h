/// What flows along the audio edges: index entries become rows of batches.
#pragma once
#include <xxhash.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/sample_buffers.h"

namespace flowqat::graph {

/// Mono audio before or after a transform.
struct Shape {
  int64_t samples = 0;
  int rate_hz = 0;
  double seconds() const { return rate_hz > 0 ? static_cast<double>(samples) / rate_hz : 0; }
  bool operator==(const Shape&) const = default;
};

/// What a source knows of an utterance before any audio is read.
struct IndexEntry {
  std::string id;    ///< unique in its corpus
  std::string path;  ///< the audio file
  /// Of a file inside `path` (an archive); 0 bytes: `path` itself.
  int64_t first_byte = 0, bytes = 0;
  /// Where a segment of a longer recording begins; none: the whole recording.
  std::optional<int64_t> first_sample = {};
  std::string transcript;  ///< empty where there is none
  std::string speaker;     ///< empty where it is not known
  std::string group;       ///< the split, folder or archive that it belongs to
  Shape shape;             ///< from the header; 0 samples if that could not be read
  int channels = 1;
  /// The one channel that the corpus asks for, from 0 on; none: it leaves that open.
  std::optional<int> channel = {};
  std::string broken;  ///< why it cannot be used; empty if nothing is known against it
  uint64_t key = 0;    ///< key_of(id): the root of its random draws
  /// How often it is presented in an epoch, for each copy that the transforms make. A fraction is
  /// the chance of one presentation more, drawn anew every epoch; 0 leaves it out.
  double weight = 1;
};

/// `length` frames or channels from `start`.
struct MaskSpan {
  int32_t start = 0;
  int32_t length = 0;
  bool operator==(const MaskSpan&) const = default;
};

struct RejectedBy {
  std::string node;
  std::string reason;
};

/// One utterance's place in a batch, filled by the transforms that it passes.
struct Row {
  const IndexEntry* entry = nullptr;  ///< the batch's own
  int copy = 0;  ///< which of its presentations in the epoch (every speed factor once: 0, 1, 2)
  int64_t samples = 0;                  ///< speech in this row; 0 if rejected
  std::vector<MaskSpan> time_masks;     ///< in frames of the model
  std::vector<MaskSpan> channel_masks;  ///< in hidden channels of the model
  std::optional<RejectedBy> rejected;
  std::string note = {};   ///< what a person should know of an utterance that is used all the same
  bool is_silent = false;  ///< every sample that it has is zero
  XXH128_hash_t
      digest{};  ///< over id, transcript, samples and masks; taken where the row is finished
};

/// A padded batch in plan order. Rows keep their places even when rejected (all zeros).
struct Batch {
  int64_t number = 0;  ///< in its epoch, from 0
  int64_t padded_samples = 0;
  int rate_hz = 0;
  SampleBuffer samples;  ///< [rows.size(), padded_samples], zero behind each row's end
  std::vector<Row> rows;
  std::vector<IndexEntry> entries;  ///< that the rows point to

  std::span<float> row_samples(size_t row) {
    return {samples.data() + row * static_cast<size_t>(padded_samples),
            static_cast<size_t>(padded_samples)};
  }
  std::span<const float> row_samples(size_t row) const {
    return {samples.data() + row * static_cast<size_t>(padded_samples),
            static_cast<size_t>(padded_samples)};
  }
  /// Padded audio: what the batch costs in memory and time.
  double padded_s() const {
    return rate_hz > 0
               ? static_cast<double>(padded_samples) * static_cast<double>(rows.size()) / rate_hz
               : 0;
  }
  /// Speech in all rows.
  double speech_s() const {
    int64_t sum = 0;
    for (const Row& row : rows) sum += row.samples;
    return rate_hz > 0 ? static_cast<double>(sum) / rate_hz : 0;
  }
};

}  // namespace flowqat::graph
