#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/pipeline.h"
#include "io/text/processor.h"
#include "nodes/support/transcripts.h"

namespace flowqat::cli {

struct CorpusOptions {
  std::string command;  ///< the one that listens, for messages
  /// A manifest or table, a folder in LibriSpeech's layout or of audio, or shards: a *.tar, a
  /// pattern of such, or a folder that holds some.
  std::string manifest;
  std::vector<std::string> splits;  ///< of such a folder; empty: all
  std::string split_option = "--split";
  int64_t batch = 1;      ///< utterances padded to one length; of like length where several
  bool shuffled = false;  ///< even where there is one a batch, which else come as listed
  uint64_t seed = 1;
  int64_t channel = -1;  ///< as of the decode node
};

/// The node that reads the corpus. Throws GraphError for a corpus or a split that is not there, and
/// for splits of what has none.
graph::Json corpus_node(const CorpusOptions& options);

/// A corpus as its index shows it, unheard.
class CorpusListing {
 public:
  /// Throws as corpus_node().
  explicit CorpusListing(const CorpusOptions& options);

  graph::Index read(const graph::IndexProgress& reading) const {
    return source_.read_index({0, reading});
  }
  std::string describe_transcripts() const { return source_.describe_transcripts(); }

 private:
  graph::Graph graph_;
  const graph::Source& source_;
};

/// A corpus as a model hears it: a built-in graph through decode, resample and normalize to
/// batches. The same batches at every opening.
class CorpusAudio {
 public:
  /// Reads the index, and tells `reading` how far that is. Throws GraphError for splits of what has
  /// none.
  CorpusAudio(const CorpusOptions& options, const io::FeatureExtractor& extractor,
              const graph::IndexProgress& reading = {});

  graph::Pipeline& pipeline() { return pipeline_; }
  /// Starts the epoch again.
  std::unique_ptr<graph::Stream> open() { return pipeline_.open(command_, 0); }
  size_t utterances() const { return pipeline_.selection().presentations.size(); }
  /// What there is to compare with. Throws GraphError where there is nothing, before anything is
  /// heard, with the place where transcripts were looked for.
  nodes::TranscriptCounts transcripts(const io::TextNormalizer& normalize) const;

 private:
  std::string command_, corpus_;
  graph::Graph graph_;
  graph::DataThreads threads_{0};
  graph::Ledger ledger_;
  graph::Pipeline pipeline_;
};

}  // namespace flowqat::cli
