/// What `flowqat evaluate` found out, for people and for machines.
#pragma once
#include <map>
#include <string>

#include "nodes/support/score.h"

namespace flowqat::cli {

struct Evaluation {
  nodes::ScoreSums all;
  std::map<int, nodes::ScoreSums> by_length;  ///< by the shortest whole seconds of a bucket
  std::map<std::string, nodes::ScoreSums> by_speaker;  ///< of utterances whose speaker is known
  nodes::WordTallies words;
  int64_t rejected = 0;  ///< utterances that could not be read; in none of the sums
  std::string rejected_by_reason;
  double infer_s = 0;  ///< that the model was busy: waiting for audio does not count

  void add(const graph::IndexEntry& entry, const nodes::Score& score);
  double x_realtime() const { return infer_s > 0 ? all.audio_s / infer_s : 0; }
};

/// A table of sums: its first line, and a row.
std::string sums_header();
std::string sums_row(const std::string& name, const nodes::ScoreSums& sums);
graph::Json sums_json(const nodes::ScoreSums& sums);

/// Tables; of speakers those with the highest rates, of words the most frequent.
std::string as_text(const Evaluation& evaluation);
/// One object; all speakers, and the hundred most frequent words of each kind.
graph::Json as_json(const Evaluation& evaluation);

}  // namespace flowqat::cli
