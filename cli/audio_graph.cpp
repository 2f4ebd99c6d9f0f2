#include "cli/audio_graph.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "graph/error.h"

namespace flowqat::cli {
namespace {

bool holds_shards(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".tar") return true;
  }
  return false;
}

graph::GraphSpec audio_graph(const CorpusOptions& options, const io::FeatureExtractor& extractor) {
  graph::Json nodes{
      {"corpus", corpus_node(options)},
      {"decode", {{"type", "decode"}, {"from", "corpus"}, {"channel", options.channel}}},
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

graph::Json corpus_node(const CorpusOptions& options) {
  const std::string& path = options.manifest;
  const bool is_folder = std::filesystem::is_directory(path);
  if (!options.splits.empty() && !is_folder) {
    throw graph::GraphError(options.split_option +
                            ": only a folder in LibriSpeech's layout has splits, and " + path +
                            " is no folder");
  }
  const bool is_pattern = path.find_first_of("*?[{") != path.npos;
  if (!is_pattern && !std::filesystem::exists(path)) {
    throw graph::GraphError(path +
                            ": no such file or folder; expected a manifest, a folder in "
                            "LibriSpeech's layout, or tar shards");
  }
  for (const std::string& split : options.splits) {
    const std::filesystem::path root = path;
    if (!std::filesystem::exists(root / split) &&
        !std::filesystem::exists(root / "LibriSpeech" / split)) {
      throw graph::GraphError(options.split_option + " " + split + ": there is no such split in " +
                              path);
    }
  }
  const bool is_shard = !is_folder && path.ends_with(".tar");
  if (is_shard || (is_folder && options.splits.empty() && holds_shards(path))) {
    return {{"type", "shards"}, {"paths", {path}}};
  }
  if (!is_folder) return {{"type", "manifest"}, {"path", path}};
  return {{"type", "librispeech"}, {"root", path}, {"splits", options.splits}};
}

CorpusAudio::CorpusAudio(const CorpusOptions& options, const io::FeatureExtractor& extractor,
                         const graph::IndexProgress& reading)
    : command_(options.command),
      graph_(audio_graph(options, extractor)),
      pipeline_(*graph_.batchers().front(), {.seed = options.seed}, threads_, ledger_, reading) {}

}  // namespace flowqat::cli
