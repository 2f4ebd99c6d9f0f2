/// Whole runs with a very small model.
#pragma once
#include <fstream>
#include <sstream>

#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/nodes/support.h"
#include "tests/small_model.h"
#include "tests/temporary_folder.h"

namespace flowqat::nodes::testing {

/// configs/quickstart.json, cut to seconds; `more` are overrides.
inline graph::Json small_quickstart_file(const std::filesystem::path& folder,
                                         const std::string& out,
                                         const std::vector<std::string>& more = {}) {
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/quickstart.json");
  for (const std::string& value :
       {"corpus.root=" + (folder / "corpus").string(), std::string("corpus.splits=[\"train\"]"),
        "dev_corpus.root=" + (folder / "corpus").string(),
        std::string("dev_corpus.splits=[\"dev\"]"), "start.config=" + (folder / "config").string(),
        std::string("start.device=cpu"), std::string("batch.max_padded_s=4"),
        std::string("learn.epochs=2"), std::string("learn.log_every_steps=1"),
        std::string("adapt.epochs=4"), std::string("adapt.log_every_steps=1"),
        std::string("observe.batches=2"), std::string("threads=2")}) {
    graph::override_value(file, value);
  }
  for (const std::string& value : more) graph::override_value(file, value);
  file["out"] = (folder / out).string();
  return file;
}

inline graph::Graph small_quickstart(const std::filesystem::path& folder, const std::string& out,
                                     const std::vector<std::string>& more = {}) {
  return graph::Graph(graph::resolve(small_quickstart_file(folder, out, more), "quickstart.json"));
}

/// Why that graph is refused, or "accepted".
inline std::string refusal(const std::filesystem::path& folder,
                           const std::vector<std::string>& overrides) {
  try {
    small_quickstart(folder, "out", overrides);
  } catch (const graph::GraphError& error) {
    return error.what();
  }
  return "accepted";
}

inline void make_small_inputs(const std::filesystem::path& folder) {
  flowqat::testing::make_corpus(folder / "corpus", {.split = "train"});
  flowqat::testing::make_corpus(folder / "corpus",
                                {.split = "dev", .speakers = 1, .utterances = 3});
  flowqat::testing::write_small_config(folder / "config");
}

inline graph::Json run(const graph::Graph& graph, Recorder& recorder,
                       graph::Existing existing = graph::Existing::refuse) {
  return graph::run_graph(
      graph, {.existing = existing, .reporter = &recorder, .stop_signal = &recorder.stop_signal});
}

inline std::string bytes(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

/// The lines of a run's list, without what a clock says.
inline std::vector<graph::Json> lines_of(const std::filesystem::path& list) {
  std::ifstream file(list);
  std::vector<graph::Json> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(graph::Json::parse(line));
    for (const char* clocked : {"wall_s", "starved_share", "infer_s"}) lines.back().erase(clocked);
  }
  return lines;
}

/// Checks that two runs of one graph left the same: weights, lists, counts and digest.
inline void check_same_run(const std::filesystem::path& out, const std::filesystem::path& whole) {
  for (const char* file :
       {"float/model.safetensors", "model/model.safetensors", "model/fake_quantization.json",
        "int8/model.safetensors", "int8/quantization.json", "rejected.jsonl", "wer-float.jsonl",
        "wer-ptq.jsonl", "wer-fake_quantized.jsonl", "wer-int8.jsonl"}) {
    INFO(file);
    REQUIRE(std::filesystem::file_size(out / file) == std::filesystem::file_size(whole / file));
    if (std::filesystem::file_size(whole / file) == 0) continue;
    CHECK((bytes(out / file) == bytes(whole / file)));
  }
  const auto lines = lines_of(out / "metrics.jsonl"), expected = lines_of(whole / "metrics.jsonl");
  CHECK(lines.size() == expected.size());
  for (size_t i = 0; i < std::min(lines.size(), expected.size()); ++i) {
    CHECK(lines[i] == expected[i]);
  }
  const graph::Json summary = graph::read_json(out / "summary.json"),
                    wanted = graph::read_json(whole / "summary.json");
  for (const char* key : {"utterances", "batches_sha256", "transcripts"}) {
    CHECK(summary.at(key) == wanted.at(key));
  }
  for (const char* key : {"wer", "cer", "size_bytes"}) {
    CHECK(summary.at("evaluations").at("wer").at(key) ==
          wanted.at("evaluations").at("wer").at(key));
  }
}

/// Checks that `model`'s error rates are those of the utterances as listed, and returns how many
/// those are.
inline int64_t check_listing(const std::filesystem::path& out, const graph::Json& summary,
                             const std::string& model) {
  std::ifstream listing(out / ("wer-" + model + ".jsonl"));
  int64_t utterances = 0, errors = 0, words = 0, character_errors = 0, characters = 0;
  for (std::string line; std::getline(listing, line); ++utterances) {
    const auto utterance = graph::Json::parse(line);
    const auto count = [&](const char* key) { return utterance.at(key).get<int64_t>(); };
    CHECK(count("errors") == count("substitutions") + count("deletions") + count("insertions"));
    errors += count("errors");
    words += count("reference_words");
    character_errors += count("character_errors");
    characters += count("reference_characters");
  }
  REQUIRE(words > 0);
  const graph::Json& evaluation = summary.at("evaluations").at("wer");
  CHECK(evaluation.at("wer").at(model).get<double>() ==
        Approx(static_cast<double>(errors) / static_cast<double>(words)));
  CHECK(evaluation.at("cer").at(model).get<double>() ==
        Approx(static_cast<double>(character_errors) / static_cast<double>(characters)));
  return utterances;
}

}  // namespace flowqat::nodes::testing
