#include "cli/audio_graph.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/text_width.h"
#include "graph/error.h"
#include "io/files/companion.h"

namespace flowqat::cli {
namespace {

bool holds_shards(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".tar" && !io::is_companion(path.filename().native())) return true;
  }
  return false;
}

/// Whether anything below `folder` is a transcript in LibriSpeech's layout.
bool holds_transcripts(const std::filesystem::path& folder) {
  using Below = std::filesystem::recursive_directory_iterator;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  std::error_code code;
  for (Below next(folder, options, code); !code && next != Below(); next.increment(code)) {
    const std::string name = next->path().filename().string();
    if (io::is_companion(name)) {
      next.disable_recursion_pending();
    } else if (name.ends_with(".trans.txt")) {
      return true;
    }
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
                            "LibriSpeech's layout or of audio, or tar shards");
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
  if (options.splits.empty() && !holds_transcripts(path)) {
    return {{"type", "folder"}, {"root", path}};
  }
  return {{"type", "librispeech"}, {"root", path}, {"splits", options.splits}};
}

CorpusListing::CorpusListing(const CorpusOptions& options)
    // What follows the corpus is never run.
    : graph_(graph::resolve({{"nodes",
                              {{"corpus", corpus_node(options)},
                               {"decode", {{"type", "decode"}, {"from", "corpus"}}},
                               {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 1}}}}}},
                            options.command)),
      source_(*graph::Chain::behind(*graph_.batchers().front()).source) {}

CorpusAudio::CorpusAudio(const CorpusOptions& options, const io::FeatureExtractor& extractor,
                         const graph::IndexProgress& reading)
    : command_(options.command),
      corpus_(options.manifest),
      graph_(audio_graph(options, extractor)),
      pipeline_(*graph_.batchers().front(), {.seed = options.seed}, threads_, ledger_, reading) {}

nodes::TranscriptCounts CorpusAudio::transcripts(const io::TextNormalizer& normalize) const {
  nodes::TranscriptCounts counts =
      nodes::count_transcripts(pipeline_.index(), pipeline_.selection(), normalize);
  if (counts.characters > 0) return counts;
  std::string text = corpus_ + ": holds no transcript to compare with";
  if (counts.utterances > 0) {
    text += ": normalization leaves nothing of any, the first is that of " +
            counts.first_without_text();
  } else {
    const std::string found = pipeline_.chain().source->describe_transcripts();
    if (!found.empty()) text += "; " + printable(found);
  }
  throw graph::GraphError(text);
}

}  // namespace flowqat::cli
