/// Hears a corpus with a model, for `flowqat evaluate`.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "cli/audio_graph.h"
#include "cli/evaluation.h"
#include "cli/heard.h"
#include "cli/terminal.h"
#include "graph/rejections.h"
#include "io/text/text_normalizer.h"
#include "nodes/support/inference.h"

namespace flowqat::cli {

/// Told of every utterance that was heard.
using HeardUtterance =
    std::function<void(const graph::IndexEntry& entry, const std::string& reference,
                       const std::string& hypothesis, const nodes::Score&)>;

class Evaluator {
 public:
  /// `what`: as progress calls it. `limit`: utterances at the most, in whole batches; 0: all.
  Evaluator(const std::string& what, int64_t limit, const io::TextNormalizer& normalize,
            Terminal& terminal, HeardUtterance tell);

  /// Throws Interrupted, and what the stream throws.
  Evaluation run(CorpusAudio& audio, const nodes::Recognition& model);

 private:
  void add(const graph::Batch& batch, const nodes::Recognition& model, Evaluation& evaluation);
  void add(const graph::IndexEntry& entry, const std::string& text, Evaluation& evaluation);

  std::string what_;
  int64_t limit_;
  const io::TextNormalizer& normalize_;
  Terminal& terminal_;
  const std::atomic<int>& stop_signal_;
  graph::Rejections rejections_;
  HeardUtterance tell_;
};

}  // namespace flowqat::cli
