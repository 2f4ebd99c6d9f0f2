#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "graph/pipeline.h"
#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

/// configs/manifest.json over another manifest.
graph::Graph manifest_graph(const std::filesystem::path& manifest,
                            const std::vector<std::string>& more = {}) {
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/manifest.json");
  graph::override_value(file, "corpus.path=" + manifest.string());
  graph::override_value(file, "corpus.cache=false");
  for (const std::string& setting : more) graph::override_value(file, setting);
  return graph::Graph(graph::resolve(file, "manifest.json"));
}

graph::Index index_of(const std::filesystem::path& manifest,
                      const std::vector<std::string>& more = {}) {
  const graph::Graph graph = manifest_graph(manifest, more);
  return graph::Chain::behind(*graph.batchers().front()).source->read_index(2);
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE(
    "the segments of a manifest go through configs/manifest.json, and what is broken counts") {
  const TemporaryFolder temporary;
  const auto root = temporary.path();
  write_float_wav(root / "long.wav", white_noise(160'000));
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text += R"({"audio_filepath": "long.wav", "offset": )" + std::to_string(i) +
            R"(, "duration": 1.5, "text": "NUMBER"})"
            "\n";
  }
  write_text(root / "m.jsonl",
             text + R"({"audio_filepath": "no.wav", "duration": 1, "text": "X"})");
  const graph::Index index = index_of(root / "m.jsonl");
  REQUIRE(index.size() == 9);
  CHECK(index[3].id == "long.wav@3");
  CHECK(index[3].path == (root / "long.wav").string());
  CHECK(index[3].first_sample == 48'000);
  CHECK(index[3].shape == graph::Shape{24'000, 16'000});
  CHECK(index[3].transcript == "NUMBER");
  CHECK(index[3].group == "m.jsonl");
  CHECK_THAT(index[8].broken, ContainsSubstring("no.wav: cannot be opened"));

  Recorder recorder;
  const graph::Json summary =
      graph::run_graph(manifest_graph(root / "m.jsonl", {"out=" + (root / "out").string()}),
                       {.existing = graph::Existing::refuse,
                        .reporter = &recorder,
                        .stop_signal = &recorder.stop_signal});
  CHECK(summary.at("utterances") == graph::Json{{"done", 8}, {"rejected", 1}});
}

TEST_CASE("a manifest's format and the folder of its audio can be given") {
  const TemporaryFolder temporary;
  const auto root = temporary.path();
  write_float_wav(root / "audio" / "a.wav", white_noise(100));
  write_text(root / "m", "/elsewhere\na.wav\t100\n");
  CHECK_FALSE(index_of(root / "m")[0].broken.empty());
  const graph::Index index =
      index_of(root / "m", {"corpus.audio_root=" + (root / "audio").string()});
  CHECK(index[0].broken.empty());
  CHECK(index[0].shape == graph::Shape{100, 16'000});
  CHECK_THROWS_WITH(index_of(root / "m", {"corpus.format=nemo"}),
                    ContainsSubstring("node \"corpus\", key \"path\": " + (root / "m").string() +
                                      ", line 1: expected a JSON object"));
  CHECK_THROWS_WITH(index_of(root / "m", {"corpus.format=kaldi"}),
                    ContainsSubstring("\"auto\", \"nemo\", \"fairseq\", \"lhotse\""));
}

TEST_CASE("another format or folder of a manifest is not taken from the cache of the first") {
  const TemporaryFolder temporary;
  const auto root = temporary.path();
  write_float_wav(root / "a" / "x.wav", white_noise(100));
  write_float_wav(root / "b" / "x.wav", white_noise(200));
  write_text(root / "m", "{\"audio_filepath\": \"x.wav\"}\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // else nothing is kept
  for (int round = 0; round < 2; ++round) {
    for (const auto& [folder, samples] : {std::pair("a", 100), std::pair("b", 200)}) {
      const graph::Index index = index_of(
          root / "m", {"corpus.cache=true", "corpus.audio_root=" + (root / folder).string()});
      CHECK(index[0].shape.samples == samples);
    }
  }
}
