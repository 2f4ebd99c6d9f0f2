#include "cli/inspection.h"

#include <algorithm>

#include "graph/error.h"
#include "graph/format.h"
#include "io/files/error.h"
#include "io/resample/resample.h"
#include "io/text/characters.h"
#include "io/text/unicode.h"
#include "nodes/support/score.h"

namespace flowqat::cli {
namespace {

using graph::format;

/// Frames that CTC needs for a text: one a label, and a blank between two that are equal.
int64_t frames_needed(const std::vector<int32_t>& labels) {
  int64_t needed = std::ssize(labels);
  for (size_t i = 1; i < labels.size(); ++i) needed += labels[i] == labels[i - 1] ? 1 : 0;
  return needed;
}

/// Gathers what is known of an utterance before the whole corpus has been seen.
class Inspector {
 public:
  Inspector(const Listener& listener, Inspection& result)
      : listener_(listener),
        result_(result),
        normalize_(listener.tokenizer, listener.text_rules),
        leave_(listener.tokenizer, io::TextNormalization::none) {}

  void add(const graph::IndexEntry& entry) {
    if (!entry.broken.empty()) {
      result_.broken.add({entry.id, entry.broken});
      return;
    }
    if (entry.shape.rate_hz <= 0 || entry.shape.samples <= 0) {
      result_.broken.add({entry.id, "its header tells of no audio"});
      return;
    }
    try {
      io::check_ratio(static_cast<double>(listener_.rate_hz) / entry.shape.rate_hz,
                      io::Engine::automatic);
    } catch (const io::Error& error) {
      result_.broken.add({entry.id, std::to_string(entry.shape.rate_hz) + " Hz: " + error.what()});
      return;
    }
    std::string text;
    try {
      text = normalize_(entry.transcript);
    } catch (const io::Error& error) {
      result_.broken.add({entry.id, std::string("transcript: ") + error.what()});
      return;
    }
    const double duration_s = entry.shape.seconds();
    for (AudioSum* sum :
         {&result_.all, &result_.groups[entry.group], &result_.rates_hz[entry.shape.rate_hz],
          &result_.channels[entry.channels]}) {
      count(*sum, duration_s);
    }
    if (!entry.speaker.empty()) count(result_.speakers[entry.speaker], duration_s);
    durations_s_.push_back(duration_s);
    if (listener_.max_duration_s > 0 && duration_s > listener_.max_duration_s) {
      result_.too_long.add({entry.id, format("%.1f s", duration_s), duration_s});
    }
    add_text(entry, text, duration_s);
  }

  void finish() {
    result_.durations_s = Distribution(std::move(durations_s_));
    std::vector<double> minutes, rates;
    for (const auto& [speaker, sum] : result_.speakers) minutes.push_back(sum.audio_s / 60);
    result_.minutes_per_speaker = Distribution(std::move(minutes));
    for (const auto& [id, rate] : rates_) rates.push_back(rate);
    result_.characters_per_s = Distribution(std::move(rates));
    const auto usual = result_.usual_characters_per_s = result_.characters_per_s.fences();
    for (const auto& [id, rate] : rates_) {
      const std::string why = format("%.1f characters a second", rate);
      if (rate < usual.lower) result_.slow.add({id, why, 1 / rate});
      if (rate > usual.upper) result_.fast.add({id, why, rate});
    }
    nodes::Tally<std::string> repeated;
    for (auto& [text, times] : texts_) {
      if (times < 2) continue;
      ++result_.repeated_texts;
      result_.repetitions += times;
      repeated.emplace(text, times);
    }
    result_.most_repeated = nodes::most_frequent(repeated, 5);
  }

 private:
  static void count(AudioSum& sum, double duration_s) {
    ++sum.utterances;
    sum.audio_s += duration_s;
  }

  void add_text(const graph::IndexEntry& entry, const std::string& text, double duration_s) {
    const double ratio = static_cast<double>(listener_.rate_hz) / entry.shape.rate_hz;
    const int64_t frames =
        model::frames_of(listener_.config, io::resampled_samples(entry.shape.samples, ratio));
    if (frames == 0) {
      result_.shorter_than_a_frame.add({entry.id, format("%.4f s", duration_s), -duration_s});
    }
    if (text.empty()) {
      result_.without_text.add({entry.id, entry.transcript.empty()
                                              ? "no transcript"
                                              : "nothing is left of \"" + entry.transcript + "\""});
      return;
    }
    result_.as_written.add(entry, leave_);
    result_.normalized.add(entry, normalize_);
    ++texts_[text];
    if (frames == 0) return;
    rates_.emplace_back(entry.id, static_cast<double>(io::from_utf8(text).size()) / duration_s);
    const std::vector<int32_t> labels = listener_.tokenizer.encode(text);
    const int64_t needed = frames_needed(labels);
    if (needed > frames) {
      result_.too_much_text.add(
          {entry.id,
           format("%zu labels need %lld frames, the audio has %lld", labels.size(),
                  static_cast<long long>(needed), static_cast<long long>(frames)),
           static_cast<double>(needed) / static_cast<double>(frames)});
    }
  }

  const Listener& listener_;
  Inspection& result_;
  io::TextNormalizer normalize_, leave_;
  std::vector<double> durations_s_;
  std::vector<std::pair<std::string, double>> rates_;  ///< id, characters a second
  nodes::Tally<std::string> texts_;
};

}  // namespace

void Finding::add(Utterance utterance) {
  ++count;
  const auto place = std::upper_bound(
      worst.begin(), worst.end(), utterance,
      [](const Utterance& a, const Utterance& b) { return a.severity > b.severity; });
  worst.insert(place, std::move(utterance));
  if (worst.size() > listed) worst.pop_back();
}

Inspection inspect(const graph::Index& index, const Listener& listener) {
  Inspection result;
  Inspector inspector(listener, result);
  for (const graph::IndexEntry& entry : index) inspector.add(entry);
  inspector.finish();
  return result;
}

std::vector<UnknownCharacter> unknown_characters(const Inspection& inspection,
                                                 const Listener& listener) {
  io::CharacterCounts all = inspection.as_written.unknown;
  all.insert(inspection.normalized.unknown.begin(), inspection.normalized.unknown.end());
  const auto times = [](const io::CharacterCounts& counts, const std::string& character) {
    const auto found = counts.find(character);
    return found == counts.end() ? 0 : found->second;
  };
  const auto has_all = [&](const std::u32string& text) {
    return std::ranges::all_of(text, [&](char32_t c) { return listener.tokenizer.has(c); });
  };
  std::vector<UnknownCharacter> rows;
  UnknownCharacter cased{"letters in another case"};
  for (const auto& [character, unused] : all) {
    const UnknownCharacter row{io::character_name(character),
                               times(inspection.as_written.unknown, character),
                               times(inspection.normalized.unknown, character)};
    const std::u32string wide = io::from_utf8(character);
    if (row.normalized == 0 && (has_all(io::upper_case(wide)) || has_all(io::lower_case(wide)))) {
      cased.as_written += row.as_written;
    } else {
      rows.push_back(row);
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.normalized, a.as_written) > std::pair(b.normalized, b.as_written);
  });
  if (cased.as_written > 0) rows.push_back(cased);
  return rows;
}

std::string cut(const std::string& text, size_t bytes) {
  if (text.size() <= bytes) return text;
  size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string spread(const Distribution& values, const std::string& unit) {
  return format("%.1f to %.1f", values.smallest(), values.largest()) +
         (unit.empty() ? "" : " " + unit) +
         format(", median %.1f, mean %.1f; 1 %% are below %.1f, 1 %% above %.1f", values.median(),
                values.mean(), values.quantile(0.01), values.quantile(0.99));
}

std::vector<NamedFinding> findings(const Inspection& inspection, const Listener& listener) {
  const auto& usual = inspection.usual_characters_per_s;
  return {
      {"broken", "cannot be used", inspection.broken},
      {"without_text", "without a transcript", inspection.without_text},
      {"too_long", format("longer than %g s", listener.max_duration_s), inspection.too_long},
      {"shorter_than_a_frame", "shorter than one frame of the model",
       inspection.shorter_than_a_frame},
      {"too_much_text", "with more labels than CTC can align with their frames",
       inspection.too_much_text},
      {"fast", format("with unusually much text (over %.1f characters a second)", usual.upper),
       inspection.fast},
      {"slow", format("with unusually little text (under %.1f characters a second)", usual.lower),
       inspection.slow},
  };
}

}  // namespace flowqat::cli
