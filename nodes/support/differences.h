/// What each model of an evaluation got wrong in each utterance, and how much it differs from one
/// of them.
#pragma once
#include <string>
#include <vector>

#include "nodes/support/bootstrap.h"
#include "nodes/support/score.h"

namespace flowqat::nodes {

/// Errors by utterance: 24 bytes each.
class UtteranceErrors {
 public:
  /// `place`: the utterance's in the stream, which is the same for every model. Each is added once.
  void add(int64_t place, const ErrorCounts& words, const ErrorCounts& characters);
  void add(int64_t place, const Score& score) {
    add(place, score.word_errors, score.character_errors);
  }

 private:
  struct Counts {
    int64_t place;
    int32_t word_errors, words, character_errors, characters;
  };
  friend struct PairedUtterances;
  std::vector<Counts> counts_;
};

/// The utterances that two models heard.
struct PairedUtterances {
  PairedUtterances(UtteranceErrors model, UtteranceErrors other);
  std::vector<PairedErrors> words, characters;
};

struct Differences {
  std::string model;
  RateDifference wer, cer;
};

/// By resamples_for() resamples.
Differences differences(const std::string& model, const PairedUtterances& utterances,
                        uint64_t seed);

/// In points: "+0.73 (+0.31 to +1.20)", with "noise" behind it where the interval holds 0.
std::string points_text(const RateDifference& difference);
/// What the intervals are and, where there is some, what "noise" means, in words. `difference`: any
/// of them.
std::string interval_note(const RateDifference& difference, bool has_noise);
/// A row for each model, and the note. `to`: the model that they are compared with.
std::string differences_table(const std::vector<Differences>& models, const std::string& to);

/// {"difference", "low", "high", "probability_of_improvement", "noise", "utterances", "resamples"}:
/// rates, not points; an end that is not finite is null.
graph::Json as_json(const RateDifference& difference);

}  // namespace flowqat::nodes
