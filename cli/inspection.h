/// What `flowqat inspect` finds out of a corpus from its index, for people and for machines.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cli/distribution.h"
#include "graph/params.h"
#include "model/config.h"
#include "nodes/support/transcripts.h"

namespace flowqat::cli {

/// Whom the corpus is meant for.
struct Listener {
  const model::Config& config;
  int rate_hz = 16000;
  const io::Tokenizer& tokenizer;
  io::TextRules text_rules = {};
  double max_duration_s = 30;  ///< what is longer is found too long; 0: nothing is
};

/// Utterances with one trouble: how many, and the worst of them by name.
struct Finding {
  static constexpr size_t listed = 100;
  struct Utterance {
    std::string id, why;
    double severity = 0;
  };
  int64_t count = 0;
  std::vector<Utterance> worst;  ///< at most `listed`, in the corpus's order where equally bad

  void add(Utterance utterance);
};

struct AudioSum {
  int64_t utterances = 0;
  double audio_s = 0;
};

struct Inspection {
  AudioSum all;                              ///< what can be read; nothing else counts what cannot
  std::map<std::string, AudioSum> groups;    ///< splits, folders, manifests or shards
  std::map<std::string, AudioSum> speakers;  ///< of utterances whose speaker is known
  std::map<int, AudioSum> rates_hz, channels;
  Distribution durations_s, characters_per_s, minutes_per_speaker;
  Distribution::Fences usual_characters_per_s;

  Finding broken;        ///< missing, damaged or contradicting what is said of it
  Finding without_text;  ///< no transcript, or nothing of it is left
  Finding too_long, shorter_than_a_frame;
  Finding too_much_text;  ///< more labels than frames: CTC cannot align them
  Finding slow, fast;     ///< characters a second beyond what is usual here

  nodes::TranscriptCounts as_written, normalized;
  int64_t repeated_texts = 0, repetitions = 0;  ///< texts said more than once, and by how many
  std::vector<std::pair<std::string, int64_t>> most_repeated;
};

/// Reads no audio.
Inspection inspect(const graph::Index& index, const Listener& listener);

/// A row of the table of characters outside the vocabulary.
struct UnknownCharacter {
  std::string name;  ///< as people see it
  int64_t as_written = 0, normalized = 0;
};
/// Those that remain after normalization first, then the most frequent; letters that only have
/// another case than the vocabulary's are one row together, the last.
std::vector<UnknownCharacter> unknown_characters(const Inspection& inspection,
                                                 const Listener& listener);

/// At most `bytes` of a UTF-8 text, with "..." where it was cut.
std::string cut(const std::string& text, size_t bytes);

/// "2.0 to 22.8 s, median 6.5, mean 7.6; 1 % are below 2.1, 1 % above 21.5"
std::string spread(const Distribution& values, const std::string& unit);

/// Tables and bars of text.
std::string as_text(const Inspection& inspection, const Listener& listener);
/// One object, with all speakers, and of each finding the worst hundred.
graph::Json as_json(const Inspection& inspection, const Listener& listener);

/// The findings with what a person calls them, in the order in which they are told.
struct NamedFinding {
  const char* key;  ///< in JSON
  std::string title;
  const Finding& finding;
};
std::vector<NamedFinding> findings(const Inspection& inspection, const Listener& listener);

}  // namespace flowqat::cli
