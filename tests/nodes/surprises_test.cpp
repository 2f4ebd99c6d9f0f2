/// What would otherwise come as a surprise hours later: long utterances, silence, broken clips.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/check.h"
#include "tests/nodes/augmentation.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A manifest of recordings, and a graph that learns from it or only reads it.
struct Corpus {
  TemporaryFolder temporary;
  fs::path root = temporary.path();
  graph::Json nodes;

  Corpus() {
    flowqat::testing::write_small_config(root / "config");
    nodes = {{"corpus", {{"type", "manifest"}, {"path", at("all.jsonl")}, {"cache", false}}},
             {"decode", {{"type", "decode"}, {"from", "corpus"}}},
             {"batch", {{"type", "batch"}, {"from", "decode"}, {"max_padded_s", 4}}}};
    add("plain.wav", white_noise(16000));
  }

  std::string at(const std::string& name) const { return (root / name).string(); }
  void add(const std::string& name, const std::vector<float>& samples) const {
    write_float_wav(root / name, samples);
    std::ofstream(at("all.jsonl"), std::ios::app)
        << graph::Json{{"audio_filepath", name}, {"text", "A"}} << "\n";
  }
  void learn() {
    nodes["start"] = {{"type", "model"}, {"config", at("config")}, {"device", "cpu"}};
    nodes["learn"] = {{"type", "train"}, {"model", "start"}, {"audio", "batch"}, {"epochs", 2}};
  }
  /// What is said on the way, and the mistakes, of a check alone or of a whole run.
  std::string told(bool runs, int processes = 1) const {
    Recorder recorder;
    std::string text;
    try {
      const graph::Graph graph = make_graph(nodes.dump(), at("out"));
      if (runs) {
        run(graph, recorder, graph::Existing::overwrite);
      } else {
        graph::check(graph, recorder, recorder.stop_signal, processes, processes);
      }
    } catch (const std::exception& error) {
      text = error.what();
    }
    for (const std::string& line : recorder.said) text += "\n" + line;
    return text;
  }
};

}  // namespace

TEST_CASE("an utterance of twenty minutes is named before training, and refused without memory") {
  Corpus corpus;
  corpus.add("long.wav", std::vector<float>(20 * 60 * 16000, 0.1f));
  CHECK_THAT(corpus.told(false), ContainsSubstring("batch: 1 utterance longer than") &&
                                     ContainsSubstring("long.wav), has 1200.0 s") &&
                                     ContainsSubstring("\"max_duration_s\""));
  corpus.learn();
  CHECK_THAT(corpus.told(false), !ContainsSubstring("for attention alone"));  // it is left out
  corpus.nodes["learn"]["max_duration_s"] = 0;
  const std::string told = corpus.told(false);
  if (!fs::exists("/dev/nvidia0")) {
    // 2 layers of 4 heads: 230 GB. More than that is a machine to learn it on.
    CHECK_THAT(told, ContainsSubstring("node \"learn\", key \"audio\": ") &&
                         ContainsSubstring("long.wav) has 20 min of audio: a training step "
                                           "over it takes 231 GB for attention alone"));
    corpus.nodes["learn"]["batches_per_step"] = 3;
    CHECK_THAT(corpus.told(false, 3), ContainsSubstring("GB are there for each of the machine's 3 "
                                                        "processes"));
  }
  corpus.nodes["corpus"]["max_duration_s"] = 60;
  CHECK_THAT(corpus.told(false), !ContainsSubstring("long.wav"));
}

TEST_CASE("an utterance of more than half a minute is told of, listed, and not trained on") {
  Corpus corpus;
  corpus.add("a.wav", std::vector<float>(16000, 0.1f));
  corpus.add("long.wav", std::vector<float>(31 * 16000, 0.1f));
  corpus.learn();
  const std::string told = corpus.told(true);
  CHECK_THAT(told,
             ContainsSubstring("learn: 1 utterance of more than 30 s will not be trained on, "
                               "the longest of them long.wav with 31 s; another limit is the "
                               "node's \"max_duration_s\"") &&
                 ContainsSubstring("learn: the largest batch, 2 rows of 1 s with plain.wav (1 s)"));
  std::ifstream listed(corpus.at("out/rejected.jsonl"));
  std::string line;
  REQUIRE(std::getline(listed, line));
  CHECK_THAT(line, ContainsSubstring("long.wav") && ContainsSubstring("has 31 s, and the node's "
                                                                      "max_duration_s is 30 s"));
}

TEST_CASE("utterances of silence are named once, counted, and learnt from without harm") {
  Corpus corpus;
  for (const char* name : {"a.wav", "b.wav", "c.wav", "d.wav", "e.wav"}) {
    corpus.add(name, std::vector<float>(16000));
  }
  corpus.learn();
  const std::string told = corpus.told(true);
  CHECK_THAT(told, ContainsSubstring("silence: " + corpus.at("a.wav") + ": every sample") &&
                       ContainsSubstring("silence: more utterances; they are counted") &&
                       ContainsSubstring("5 utterances of silence alone") &&
                       !ContainsSubstring("silence: " + corpus.at("plain.wav")));
  std::ifstream metrics(corpus.at("out/metrics.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(metrics, line); ++lines) {
    const auto metric = graph::Json::parse(line);
    CHECK(std::isfinite(metric.at("loss").get<double>()));
    CHECK(std::isfinite(metric.at("gradient_norm").get<double>()));
  }
  CHECK(lines > 0);
  std::ifstream rejected(corpus.at("out/rejected.jsonl"));
  CHECK(rejected.peek() == std::ifstream::traits_type::eof());
}

TEST_CASE("a noise or response whose audio is damaged is named at the start, until it is mended") {
  for (const std::string type : {"noise", "reverb"}) {
    INFO(type);
    Corpus corpus;
    const fs::path clips = corpus.root / "clips";
    write_float_wav(clips / "good.wav", white_noise(4000));
    write_float_wav(clips / "silent.wav", std::vector<float>(4000));
    corpus.nodes["added"] = {{"type", type}, {"from", "decode"}, {"folder", clips.string()}};
    corpus.nodes["batch"]["from"] = "added";
    const std::string silent =
        "added: 1 of 2 files in " + clips.string() +
        " are silence and change nothing; the first: " + (clips / "silent.wav").string();
    for (int i = 0; i < 2; ++i) CHECK_THAT(corpus.told(false), ContainsSubstring(silent));
    // A sound header, and damage behind it.
    flowqat::testing::make_corpus(corpus.root / "more", {.speakers = 1, .utterances = 1});
    const fs::path flac = *std::find_if(
        fs::recursive_directory_iterator(corpus.root / "more"), fs::recursive_directory_iterator(),
        [](const fs::directory_entry& entry) { return entry.path().extension() == ".flac"; });
    fs::copy_file(flac, clips / "damaged.flac");
    flowqat::testing::damage(clips / "damaged.flac");
    for (int i = 0; i < 2; ++i) {
      CHECK_THAT(corpus.told(true), ContainsSubstring("node \"added\", key \"folder\": ") &&
                                        ContainsSubstring("damaged.flac") &&
                                        ContainsSubstring("repair the file or remove it"));
      CHECK_FALSE(fs::exists(corpus.root / "out"));
    }
    fs::copy_file(flac, clips / "damaged.flac", fs::copy_options::overwrite_existing);
    CHECK_THAT(corpus.told(false), !ContainsSubstring("damaged.flac"));
  }
}
