#include "cli/audio_graph.h"

#include <filesystem>

#include "graph/error.h"

namespace flowqat::cli {
namespace {

graph::Json corpus_node(const CorpusOptions& options) {
  if (!std::filesystem::is_directory(options.manifest)) {
    if (!options.splits.empty()) {
      throw graph::GraphError(options.split_option +
                              ": only a folder in LibriSpeech's layout has splits, and " +
                              options.manifest + " is no folder");
    }
    return {{"type", "manifest"}, {"path", options.manifest}};
  }
  return {{"type", "librispeech"}, {"root", options.manifest}, {"splits", options.splits}};
}

graph::GraphSpec audio_graph(const CorpusOptions& options, const io::FeatureExtractor& extractor) {
  graph::Json nodes{
      {"corpus", corpus_node(options)},
      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", extractor.rate_hz}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "resample"}};
  const char* one_a_batch = options.shuffled ? "shuffled" : "corpus";
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "resample"},
                    {"size", options.batch},
                    {"length_jitter", 0},
                    {"order", options.batch > 1 ? "length" : one_a_batch}};
  return graph::resolve({{"nodes", nodes}}, options.command);
}

}  // namespace

CorpusAudio::CorpusAudio(const CorpusOptions& options, const io::FeatureExtractor& extractor)
    : command_(options.command),
      graph_(audio_graph(options, extractor)),
      pipeline_(*graph_.batchers().front(), {.seed = options.seed}, threads_, ledger_) {}

}  // namespace flowqat::cli
