#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/inspection.h"
#include "cli/text_width.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "nodes/support/score.h"

namespace flowqat::cli {
namespace {

using graph::format;
using graph::Json;

constexpr int most_bars = 16;
constexpr size_t shown_groups = 20, shown_utterances = 5, shown_characters = 20, shown_text = 60;

long long number(int64_t value) { return static_cast<long long>(value); }

std::string row(const char* what, const std::string& value) {
  return format("%-16s ", what) + value + "\n";
}

std::string list(const std::map<int, AudioSum>& sums, const char* unit) {
  std::string text;
  for (const auto& [value, sum] : sums) {
    text += format("%s%d%s", text.empty() ? "" : ", ", value, unit);
    if (sums.size() > 1) text += format(" (%lld)", number(sum.utterances));
  }
  return text;
}

std::string speakers_line(const Inspection& inspection) {
  if (inspection.speakers.empty()) return "not known";
  const Distribution& minutes = inspection.minutes_per_speaker;
  int64_t named = 0;
  for (const auto& [speaker, sum] : inspection.speakers) named += sum.utterances;
  std::string text = format("%zu, of %.1f to %.1f minutes, median %.1f", inspection.speakers.size(),
                            minutes.smallest(), minutes.largest(), minutes.median());
  if (named < inspection.all.utterances) {
    text += format("; not known of %lld utterances", number(inspection.all.utterances - named));
  }
  return text;
}

std::string overview(const Inspection& inspection) {
  std::string text = row("utterances", std::to_string(inspection.all.utterances)) +
                     row("audio", graph::duration_text(inspection.all.audio_s)) +
                     row("speakers", speakers_line(inspection)) +
                     row("sample rates", list(inspection.rates_hz, " Hz")) +
                     row("channels", list(inspection.channels, "")) +
                     row("transcripts", format("%lld, %lld of them changed by normalization",
                                               number(inspection.normalized.utterances),
                                               number(inspection.normalized.changed)));
  if (inspection.repeated_texts > 0) {
    text +=
        row("repeated", format("%lld utterances share %lld transcripts",
                               number(inspection.repetitions), number(inspection.repeated_texts)));
  }
  if (inspection.groups.size() < 2) return text;
  text += format("\n%-40s %12s %14s\n", "part", "utterances", "audio");
  size_t shown = 0;
  for (const auto& [group, sum] : inspection.groups) {
    if (++shown > shown_groups) break;
    text += format("%-40.200s %12lld %14s\n", printable(group).c_str(), number(sum.utterances),
                   graph::duration_text(sum.audio_s).c_str());
  }
  if (inspection.groups.size() > shown_groups) {
    text += format("... and %zu more\n", inspection.groups.size() - shown_groups);
  }
  return text;
}

std::string bars(const char* title, const Distribution& values, const char* unit) {
  if (values.empty()) return "";
  constexpr double widest = 50;
  const Histogram histogram = values.histogram(most_bars);
  std::string text = std::string("\n") + title + ": " + spread(values, unit) + "\n";
  for (size_t bar = 0; bar < histogram.counts.size(); ++bar) {
    const int64_t count = histogram.counts[bar];
    const double share = static_cast<double>(count) / static_cast<double>(histogram.highest());
    const bool is_last = histogram.is_open && bar + 1 == histogram.counts.size();
    text += is_last ? format("%7g and more   ", histogram.begin_of(bar))
                    : format("%7g to %-7g ", histogram.begin_of(bar), histogram.begin_of(bar + 1));
    text += format("%9lld ", number(count)) +
            std::string(static_cast<size_t>(std::ceil(widest * share)), '#') + "\n";
  }
  return text;
}

/// Columns are counted in characters, not in bytes.
std::string padded(const std::string& text, size_t columns) {
  const auto characters = static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  return text + std::string(columns - std::min(columns, characters), ' ');
}

std::string characters(const Inspection& inspection, const Listener& listener) {
  const io::CharacterCounts& before = inspection.as_written.unknown;
  const io::CharacterCounts& after = inspection.normalized.unknown;
  if (before.empty() && after.empty()) {
    return inspection.normalized.utterances > 0
               ? "\nevery character of the transcripts is in the vocabulary\n"
               : "";
  }
  std::string text =
      format("\n%-24s %12s %22s\n", "not in vocabulary", "as written", "after normalization");
  const auto all = unknown_characters(inspection, listener);
  for (size_t i = 0; i < std::min(all.size(), shown_characters); ++i) {
    text += padded(all[i].name, 24) +
            format(" %12lld %22lld\n", number(all[i].as_written), number(all[i].normalized));
  }
  if (all.size() > shown_characters) {
    text += format("... and %zu more; --json has them all\n", all.size() - shown_characters);
  }
  if (!after.empty()) {
    text += format("%lld transcripts hold such characters after normalization, the first is ",
                   number(inspection.normalized.unknown_utterances)) +
            printable(inspection.normalized.first_unknown) + "\n";
  }
  return text;
}

Json histogram_json(const Histogram& histogram) {
  return {{"first", histogram.first},
          {"width", histogram.width},
          {"counts", histogram.counts},
          {"last_is_open", histogram.is_open}};
}

Json distribution_json(const Distribution& values) {
  if (values.empty()) return nullptr;
  return {{"min", values.smallest()},
          {"p1", values.quantile(0.01)},
          {"p25", values.quantile(0.25)},
          {"median", values.median()},
          {"mean", values.mean()},
          {"p75", values.quantile(0.75)},
          {"p99", values.quantile(0.99)},
          {"max", values.largest()},
          {"histogram", histogram_json(values.histogram(most_bars))}};
}

template <class Key>
Json sums_json(const std::map<Key, AudioSum>& sums) {
  Json json = Json::object();
  for (const auto& [key, sum] : sums) {
    std::string name;
    if constexpr (std::is_same_v<Key, std::string>) {
      name = key;
    } else {
      name = std::to_string(key);
    }
    json[name] = {{"utterances", sum.utterances}, {"audio_s", sum.audio_s}};
  }
  return json;
}

}  // namespace

std::string as_text(const Inspection& inspection, const Listener& listener) {
  std::string text = overview(inspection) + bars("durations", inspection.durations_s, "s") +
                     bars("characters a second", inspection.characters_per_s, "") +
                     characters(inspection, listener);
  if (const std::string tags = nodes::tags_line(inspection.normalized, "--drop-tags");
      !tags.empty()) {
    text += "\n" + tags + "\n";
  }
  if (!inspection.most_repeated.empty()) text += "\nmost repeated transcripts\n";
  for (const auto& [said, times] : inspection.most_repeated) {
    text += format("%7lld  ", number(times)) + cut(printable(said), shown_text) + "\n";
  }
  for (const NamedFinding& named : findings(inspection, listener)) {
    if (named.finding.count == 0) continue;
    text += format("\n%lld utterance%s ", number(named.finding.count),
                   named.finding.count == 1 ? "" : "s") +
            named.title + "\n";
    const auto& worst = named.finding.worst;
    for (size_t i = 0; i < std::min(worst.size(), shown_utterances); ++i) {
      text += "  " + printable(worst[i].id) + ": " + printable(worst[i].why) + "\n";
    }
    if (named.finding.count > std::ssize(worst) || worst.size() > shown_utterances) {
      text += format("  ... and %lld more\n",
                     number(named.finding.count - static_cast<int64_t>(shown_utterances)));
    }
  }
  return text;
}

Json as_json(const Inspection& inspection, const Listener& listener) {
  Json json{{"utterances", inspection.all.utterances},
            {"audio_s", inspection.all.audio_s},
            {"groups", sums_json(inspection.groups)},
            {"speakers", sums_json(inspection.speakers)},
            {"rates_hz", sums_json(inspection.rates_hz)},
            {"channels", sums_json(inspection.channels)},
            {"durations_s", distribution_json(inspection.durations_s)},
            {"characters_per_s", distribution_json(inspection.characters_per_s)},
            {"minutes_per_speaker", distribution_json(inspection.minutes_per_speaker)},
            {"max_duration_s", listener.max_duration_s},
            {"transcripts",
             {{"as_written", nodes::to_json(inspection.as_written)},
              {"normalized", nodes::to_json(inspection.normalized)}}},
            {"repeated_transcripts", Json::object()},
            {"findings", Json::object()}};
  Json most = Json::array();
  for (const auto& [said, times] : inspection.most_repeated) {
    most.push_back({{"text", said}, {"times", times}});
  }
  json["repeated_transcripts"] = {
      {"texts", inspection.repeated_texts}, {"utterances", inspection.repetitions}, {"most", most}};
  for (const NamedFinding& named : findings(inspection, listener)) {
    Json worst = Json::array();
    for (const auto& one : named.finding.worst) worst.push_back({{"id", one.id}, {"why", one.why}});
    json["findings"][named.key] = {{"count", named.finding.count}, {"worst", worst}};
  }
  return json;
}

}  // namespace flowqat::cli
