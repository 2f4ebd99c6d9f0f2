/// The plan comes before the audio: an epoch's batches are drawn up from the index alone, with the
/// shapes that the transforms predict. It is a pure function of (index, chain, seed, consumer,
/// epoch), so any batch of any epoch can be gone to at once and threads cannot change it. This is
/// what plans are made of; epoch_plan.h makes them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/node.h"

namespace flowqat::graph {

/// The nodes between a corpus and its batches, in the order in which audio passes them.
struct Chain {
  const Source* source = nullptr;
  std::vector<const Transform*> transforms;
  const Batcher* batcher = nullptr;

  /// Walks upstream from `batcher`.
  static Chain behind(const Batcher& batcher);
  /// Presentations of every utterance in an epoch: the product of the transforms' copies.
  int copies() const;
};

/// Where an epoch's random draws come from.
struct EpochKey {
  uint64_t seed = 1;
  uint64_t consumer = 0;  ///< key_of(the step that draws from the stream)
  int64_t epoch = 0;
};

/// What transform number `position` of the chain may draw for one presentation.
Draw draw_for(const Chain& chain, size_t position, const IndexEntry& entry, int copy,
              const EpochKey& key);

/// One utterance in one presentation.
struct Presentation {
  uint32_t entry = 0;  ///< position in the index
  /// Counts through the transforms' copies, and through them again for every further time that
  /// IndexEntry::weight asks for.
  int32_t copy = 0;
  bool operator==(const Presentation&) const = default;
};

/// The batches of an epoch that one process of several takes: number n, counted from 0, falls to
/// rank n % size. Where a step is a round of as many batches as `size` divides, each process has as
/// many of every round, and the same ones wherever a training is gone on with. The plan itself
/// knows nothing of it.
struct Share {
  int rank = 0, size = 1;
  bool takes(int64_t number) const { return number % size == rank; }
  /// Those that come before number `end`.
  int64_t taken_before(int64_t end) const { return (end + size - 1 - rank) / size; }
};

struct PlannedBatch {
  std::vector<Presentation> rows;
  int64_t padded_samples = 0;
  int rate_hz = 0;
  double padded_s() const {
    return rate_hz > 0
               ? static_cast<double>(padded_samples) * static_cast<double>(rows.size()) / rate_hz
               : 0;
  }
};

/// Batches of an epoch, in order.
using Plan = std::vector<PlannedBatch>;

/// The presentations that epochs are made of: all of them, or with Source::hours() a subset drawn
/// with the seed, the same in every epoch. Broken utterances come in it by their share.
struct Selection {
  /// In index order. Where a weight has a fraction, its last presentation comes in some epochs
  /// only.
  std::vector<Presentation> presentations;
  double presented_s = 0;      ///< an epoch, as predicted for the first one
  double corpus_s = 0;         ///< the same without Source::hours()
  size_t left_out = 0;         ///< utterances of weight 0
  bool has_fractions = false;  ///< of weights
  /// Two that come at different rates in the first epoch, if there are such.
  std::optional<std::pair<Presentation, Presentation>> two_rates = {};
};
Selection select(const Chain& chain, const Index& index, uint64_t seed);

}  // namespace flowqat::graph
