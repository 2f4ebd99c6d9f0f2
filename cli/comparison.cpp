#include "cli/comparison.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/evaluation.h"
#include "cli/text_width.h"
#include "graph/error.h"
#include "graph/plain_numbers.h"

namespace flowqat::cli {
namespace {

using graph::counted;
using graph::whole_text;

constexpr size_t shown_utterances = 10;  ///< of those that are worse, better, and neither

/// Hands out an id's utterances one after another.
class ById {
 public:
  explicit ById(const std::vector<Heard>& heard) {
    for (const Heard& utterance : heard) utterances_[utterance.id].push_back(&utterance);
    for (auto& [id, all] : utterances_) std::reverse(all.begin(), all.end());
  }
  /// Null where there is none left.
  const Heard* take(const std::string& id) {
    const auto found = utterances_.find(id);
    if (found == utterances_.end() || found->second.empty()) return nullptr;
    const Heard* next = found->second.back();
    found->second.pop_back();
    return next;
  }

 private:
  std::map<std::string, std::vector<const Heard*>> utterances_;
};

std::string utterance_text(const Changed& changed) {
  return printable(changed.heard.id) + ": " + counted(changed.errors.errors(), "error") +
         ", against " + whole_text(changed.other_errors.errors()) + "\n  said     " +
         printable(changed.heard.reference) + "\n  heard    " +
         printable(changed.heard.hypothesis) + "\n  against  " + printable(changed.other) + "\n";
}

/// The first of those that `belongs` chooses, below a title.
template <class Belongs>
std::string utterances_text(const std::string& title, const std::vector<const Changed*>& changed,
                            Belongs belongs) {
  std::string text;
  size_t count = 0;
  for (const Changed* utterance : changed) {
    if (belongs(utterance->more_errors()) && ++count <= shown_utterances) {
      text += utterance_text(*utterance);
    }
  }
  if (count == 0) return "";
  if (count > shown_utterances) {
    text += "and " + whole_text(static_cast<int64_t>(count - shown_utterances)) +
            " more; --json and --out have them all\n";
  }
  return "\n" + title + "\n" + text;
}

std::string verdict(const nodes::RateDifference& difference) {
  if (difference.is_noise()) return nodes::points_text(difference);
  return nodes::points_text(difference) + (difference.difference < 0 ? " better" : " worse");
}

std::string left_out_text(int64_t count, const std::string& who) {
  if (count == 0) return "";
  return counted(count, "utterance") + " left out, for " + printable(who) + " alone has " +
         (count == 1 ? "it\n" : "them\n");
}

}  // namespace

Comparison compare(std::vector<Heard> model, std::vector<Heard> other, uint64_t seed,
                   const std::string& model_name, const std::string& other_name) {
  Comparison comparison;
  comparison.model = model_name;
  comparison.other = other_name;
  ById others(other);
  nodes::UtteranceErrors errors, other_errors;
  for (Heard& heard : model) {
    const Heard* const match = others.take(heard.id);
    if (match == nullptr) {
      ++comparison.model_only;
      continue;
    }
    const nodes::Score score = nodes::score(heard.reference, heard.hypothesis);
    const nodes::Score other_score = nodes::score(match->reference, match->hypothesis);
    const int64_t place = comparison.sums.utterances;
    comparison.sums.add(score, heard.duration_s);
    comparison.other_sums.add(other_score, match->duration_s);
    errors.add(place, score);
    other_errors.add(place, other_score);
    comparison.other_references += score.words.reference == other_score.words.reference ? 0 : 1;
    if (score.words.hypothesis == other_score.words.hypothesis) continue;
    comparison.changed.push_back({.heard = std::move(heard),
                                  .other = match->hypothesis,
                                  .errors = score.word_errors,
                                  .other_errors = other_score.word_errors});
    const int64_t more_errors = comparison.changed.back().more_errors();
    comparison.worse += more_errors > 0 ? 1 : 0;
    comparison.better += more_errors < 0 ? 1 : 0;
  }
  comparison.other_only = std::ssize(other) - comparison.sums.utterances;
  if (comparison.sums.utterances == 0) {
    throw graph::RunError(model_name + " and " + other_name +
                          " have no utterance in common: the ids must be the same, as they are for "
                          "the same corpus");
  }
  if (comparison.sums.words.references() == 0) {
    throw graph::RunError(model_name + ": holds no transcript to compare with");
  }
  std::ranges::stable_sort(comparison.changed, std::greater(), &Changed::more_errors);
  const nodes::Differences differences =
      nodes::differences(model_name, {std::move(errors), std::move(other_errors)}, seed);
  comparison.wer = differences.wer;
  comparison.cer = differences.cer;
  return comparison;
}

graph::Json as_json(const Changed& changed) {
  return {{"id", changed.heard.id},
          {"speaker", changed.heard.speaker},
          {"duration_s", changed.heard.duration_s},
          {"reference", changed.heard.reference},
          {"hypothesis", changed.heard.hypothesis},
          {"errors", changed.errors.errors()},
          {"against_hypothesis", changed.other},
          {"against_errors", changed.other_errors.errors()}};
}

std::string as_text(const Comparison& comparison) {
  std::string text =
      sums_header() + sums_row(printable(comparison.model), comparison.sums) +
      sums_row(printable(comparison.other), comparison.other_sums) + "\ndifference\nWER  " +
      verdict(comparison.wer) + "\nCER  " + verdict(comparison.cer) + "\n" +
      nodes::interval_note(comparison.wer, comparison.wer.is_noise() || comparison.cer.is_noise());
  text += left_out_text(comparison.model_only, comparison.model) +
          left_out_text(comparison.other_only, comparison.other);
  if (comparison.other_references > 0) {
    text += counted(comparison.other_references, "utterance") +
            " with another reference, as of models with other vocabularies: each is scored by its "
            "own\n";
  }
  const auto changed = std::ssize(comparison.changed);
  text += "\n" + counted(changed, "utterance") + " of " + whole_text(comparison.sums.utterances) +
          " heard in other words: " + whole_text(comparison.better) + " better, " +
          whole_text(comparison.worse) + " worse, " +
          whole_text(changed - comparison.better - comparison.worse) + " with as many errors\n";
  std::vector<const Changed*> worst_first;
  for (const Changed& utterance : comparison.changed) worst_first.push_back(&utterance);
  std::vector<const Changed*> best_first(worst_first.rbegin(), worst_first.rend());
  return text + utterances_text("worse", worst_first, [](int64_t more) { return more > 0; }) +
         utterances_text("better", best_first, [](int64_t more) { return more < 0; }) +
         utterances_text("no better and no worse", worst_first,
                         [](int64_t more) { return more == 0; });
}

graph::Json as_json(const Comparison& comparison) {
  graph::Json json{{"model", comparison.model},
                   {"against", comparison.other},
                   {"of_model", sums_json(comparison.sums)},
                   {"of_against", sums_json(comparison.other_sums)},
                   {"differences",
                    {{"confidence", nodes::confidence},
                     {"wer", nodes::as_json(comparison.wer)},
                     {"cer", nodes::as_json(comparison.cer)}}},
                   {"better", comparison.better},
                   {"worse", comparison.worse},
                   {"left_out_of_model", comparison.model_only},
                   {"left_out_of_against", comparison.other_only},
                   {"changed", graph::Json::array()}};
  for (const Changed& changed : comparison.changed) json["changed"].push_back(as_json(changed));
  return json;
}

}  // namespace flowqat::cli
