#include "nodes/support/differences.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "graph/format.h"
#include "graph/plain_numbers.h"

namespace flowqat::nodes {

using graph::format;

void UtteranceErrors::add(int64_t place, const ErrorCounts& words, const ErrorCounts& characters) {
  counts_.push_back({.place = place,
                     .word_errors = static_cast<int32_t>(words.errors()),
                     .words = static_cast<int32_t>(words.references()),
                     .character_errors = static_cast<int32_t>(characters.errors()),
                     .characters = static_cast<int32_t>(characters.references())});
}

PairedUtterances::PairedUtterances(UtteranceErrors model, UtteranceErrors other) {
  using Counts = UtteranceErrors::Counts;
  std::ranges::sort(model.counts_, {}, &Counts::place);
  std::ranges::sort(other.counts_, {}, &Counts::place);
  auto theirs = other.counts_.begin();
  for (const Counts& ours : model.counts_) {
    while (theirs != other.counts_.end() && theirs->place < ours.place) ++theirs;
    if (theirs == other.counts_.end()) break;
    if (theirs->place != ours.place) continue;
    words.push_back({ours.word_errors, ours.words, theirs->word_errors, theirs->words});
    characters.push_back(
        {ours.character_errors, ours.characters, theirs->character_errors, theirs->characters});
  }
}

Differences differences(const std::string& model, const PairedUtterances& utterances,
                        uint64_t seed) {
  const int64_t resamples = resamples_for(std::ssize(utterances.words));
  return {.model = model,
          .wer = bootstrap(utterances.words, seed, resamples),
          .cer = bootstrap(utterances.characters, seed, resamples)};
}

std::string points_text(const RateDifference& difference) {
  const std::string points = format("%+.2f ", 100 * difference.difference);
  if (!std::isfinite(difference.low)) return points + "(unknown) noise";
  return points + format("(%+.2f to %+.2f)", 100 * difference.low, 100 * difference.high) +
         (difference.is_noise() ? " noise" : "");
}

std::string interval_note(const RateDifference& difference, bool has_noise) {
  return "points and their " + format("%.0f", 100 * confidence) +
         " % intervals (paired bootstrap, " + graph::counted(difference.resamples, "resample") +
         " of " + graph::counted(difference.utterances, "utterance") + ")\n" +
         (has_noise
              ? "noise: the interval holds 0, so these utterances do not tell which is better\n"
              : "");
}

std::string differences_table(const std::vector<Differences>& models, const std::string& to) {
  if (models.empty()) return "";
  std::string text = format("%-16s %-32s %s\n", ("against " + to).c_str(), "WER", "CER");
  bool has_noise = false;
  for (const Differences& model : models) {
    text += format("%-16s %-32s %s\n", model.model.c_str(), points_text(model.wer).c_str(),
                   points_text(model.cer).c_str());
    has_noise |= model.wer.is_noise() || model.cer.is_noise();
  }
  return text + interval_note(models.front().wer, has_noise);
}

graph::Json as_json(const RateDifference& difference) {
  const auto end = [](double value) {
    return std::isfinite(value) ? graph::Json(value) : graph::Json();
  };
  return {{"difference", difference.difference},
          {"low", end(difference.low)},
          {"high", end(difference.high)},
          {"probability_of_improvement", difference.probability_of_improvement},
          {"noise", difference.is_noise()},
          {"utterances", difference.utterances},
          {"resamples", difference.resamples}};
}

}  // namespace flowqat::nodes
