#include "cli/evaluation.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cli/text_width.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"

namespace flowqat::cli {
namespace {

using graph::format;
using graph::Json;
using nodes::most_frequent;
using nodes::ScoreSums;

/// Where buckets of length begin; the last has no end.
constexpr std::array bucket_starts_s{0, 2, 5, 10, 15, 20, 30};
constexpr size_t shown_speakers = 20, shown_words = 10, listed_words = 100;

int bucket_of(double duration_s) {
  return *(std::upper_bound(bucket_starts_s.begin(), bucket_starts_s.end(), duration_s) - 1);
}

/// 0 for the last bucket.
int bucket_end_s(int start_s) {
  const auto next = std::upper_bound(bucket_starts_s.begin(), bucket_starts_s.end(), start_s);
  return next == bucket_starts_s.end() ? 0 : *next;
}

std::string speaker_rows(const Evaluation& evaluation) {
  std::vector<std::pair<std::string, ScoreSums>> speakers(evaluation.by_speaker.begin(),
                                                          evaluation.by_speaker.end());
  std::stable_sort(speakers.begin(), speakers.end(), [](const auto& a, const auto& b) {
    return a.second.words.rate() > b.second.words.rate();
  });
  std::string text;
  for (size_t i = 0; i < std::min(speakers.size(), shown_speakers); ++i) {
    text += sums_row("speaker " + printable(speakers[i].first), speakers[i].second);
  }
  if (speakers.size() > shown_speakers) {
    text += format("the %zu of %zu speakers with the highest WER; --json has them all\n",
                   shown_speakers, speakers.size());
  }
  return text;
}

std::string shown(const std::string& word) { return printable(word); }
std::string shown(const std::pair<std::string, std::string>& pair) {
  return printable(pair.first) + " -> " + printable(pair.second);
}

template <class What>
std::string word_rows(const char* title, const nodes::Tally<What>& tally) {
  std::string text;
  for (const auto& [what, times] : most_frequent(tally, shown_words)) {
    text += format("%7lld  ", static_cast<long long>(times)) + shown(what) + "\n";
  }
  return text.empty() ? "" : "\nmost often " + std::string(title) + "\n" + text;
}

Json words_json(const nodes::Tally<std::string>& tally) {
  Json list = Json::array();
  for (const auto& [word, times] : most_frequent(tally, listed_words)) {
    list.push_back({{"word", word}, {"times", times}});
  }
  return list;
}

}  // namespace

std::string sums_header() {
  return format("%-24s %10s %10s %8s %8s %8s %8s %8s %8s\n", "", "utterances", "audio s", "WER %",
                "CER %", "words", "subst.", "deleted", "inserted");
}

std::string sums_row(const std::string& name, const ScoreSums& sums) {
  return format("%-24.100s %10lld %10.1f %8.2f %8.2f %8lld %8lld %8lld %8lld\n", name.c_str(),
                static_cast<long long>(sums.utterances), sums.audio_s, 100 * sums.words.rate(),
                100 * sums.characters.rate(), static_cast<long long>(sums.words.references()),
                static_cast<long long>(sums.words.substitutions),
                static_cast<long long>(sums.words.deletions),
                static_cast<long long>(sums.words.insertions));
}

Json sums_json(const ScoreSums& sums) {
  return {{"wer", sums.words.rate()},
          {"cer", sums.characters.rate()},
          {"hits", sums.words.hits},
          {"substitutions", sums.words.substitutions},
          {"deletions", sums.words.deletions},
          {"insertions", sums.words.insertions},
          {"reference_words", sums.words.references()},
          {"character_hits", sums.characters.hits},
          {"character_substitutions", sums.characters.substitutions},
          {"character_deletions", sums.characters.deletions},
          {"character_insertions", sums.characters.insertions},
          {"reference_characters", sums.characters.references()},
          {"utterances", sums.utterances},
          {"audio_s", sums.audio_s}};
}

void Evaluation::add(const graph::IndexEntry& entry, const nodes::Score& score) {
  const double duration_s = entry.shape.seconds();
  all.add(score, duration_s);
  by_length[bucket_of(duration_s)].add(score, duration_s);
  if (!entry.speaker.empty()) by_speaker[entry.speaker].add(score, duration_s);
  words.add(score.words);
}

std::string as_text(const Evaluation& evaluation) {
  std::string text = sums_header() + sums_row("all", evaluation.all);
  for (const auto& [start_s, sums] : evaluation.by_length) {
    const int end_s = bucket_end_s(start_s);
    text += sums_row(
        end_s > 0 ? format("%d to %d s", start_s, end_s) : format("from %d s", start_s), sums);
  }
  text += speaker_rows(evaluation);
  text += word_rows("confused (said -> heard)", evaluation.words.confused);
  text += word_rows("deleted", evaluation.words.deleted);
  text += word_rows("inserted", evaluation.words.inserted);
  text += format("\n%.1f x real time: %.1f s of audio in %.2f s\n", evaluation.x_realtime(),
                 evaluation.all.audio_s, evaluation.infer_s);
  if (evaluation.rejected > 0) {
    text += graph::counted(evaluation.rejected, "utterance") +
            " could not be read and left out: " + printable(evaluation.rejected_by_reason) + "\n";
  }
  return text;
}

Json as_json(const Evaluation& evaluation) {
  Json json = sums_json(evaluation.all);
  json["x_realtime"] = evaluation.x_realtime();
  json["infer_s"] = evaluation.infer_s;
  json["rejected"] = evaluation.rejected;
  json["by_length"] = Json::array();
  for (const auto& [start_s, sums] : evaluation.by_length) {
    Json bucket = sums_json(sums);
    bucket["from_s"] = start_s;
    bucket["to_s"] = bucket_end_s(start_s) > 0 ? Json(bucket_end_s(start_s)) : Json();
    json["by_length"].push_back(bucket);
  }
  json["by_speaker"] = Json::object();
  for (const auto& [speaker, sums] : evaluation.by_speaker) {
    json["by_speaker"][speaker] = sums_json(sums);
  }
  json["most_confused"] = Json::array();
  for (const auto& [pair, times] : most_frequent(evaluation.words.confused, listed_words)) {
    json["most_confused"].push_back(
        {{"said", pair.first}, {"heard", pair.second}, {"times", times}});
  }
  json["most_deleted"] = words_json(evaluation.words.deleted);
  json["most_inserted"] = words_json(evaluation.words.inserted);
  return json;
}

}  // namespace flowqat::cli
