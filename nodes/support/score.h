/// What a model heard in an utterance, against its transcript.
#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/message.h"
#include "graph/params.h"
#include "nodes/support/error_rate.h"

namespace flowqat::nodes {

struct Score {
  Alignment words;
  ErrorCounts word_errors, character_errors;
};
Score score(const std::string& reference, const std::string& hypothesis);

/// An utterance's line of a listing: who said what for how long, what was heard, and the errors.
/// `reference` is the transcript that was scored, which may have been normalized.
graph::Json listing(const graph::IndexEntry& entry, const std::string& reference,
                    const std::string& hypothesis, const Score& score);

/// Sums over utterances.
struct ScoreSums {
  ErrorCounts words, characters;
  int64_t utterances = 0;
  double audio_s = 0;

  void add(const Score& score, double duration_s);
};

/// How often something happened to a word, or to a pair of words (said, heard).
template <class What>
using Tally = std::map<What, int64_t>;

/// The most frequent first, at most `count`; in the order of their text where equally frequent.
template <class What>
std::vector<std::pair<What, int64_t>> most_frequent(const Tally<What>& tally, size_t count) {
  std::vector<std::pair<What, int64_t>> all(tally.begin(), tally.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (all.size() > count) all.resize(count);
  return all;
}

/// The words behind the errors.
struct WordTallies {
  Tally<std::pair<std::string, std::string>> confused;  ///< said and heard
  Tally<std::string> deleted, inserted;

  void add(const Alignment& words);
};

}  // namespace flowqat::nodes
