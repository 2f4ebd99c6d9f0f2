/// What nodes find out about their files and their neighbours before a run's first step.
#include "graph/check.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/nodes/augmentation.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::make_corpus;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A small graph that is sound, to be made wrong: audio with transcripts and without, and a model.
struct Sound {
  TemporaryFolder temporary;
  fs::path root = temporary.path();
  graph::Json nodes;

  Sound() {
    make_corpus(root / "corpus", {.speakers = 1, .utterances = 2});
    flowqat::testing::write_small_config(root / "config");
    nodes = {{"corpus", {{"type", "librispeech"}, {"root", (root / "corpus").string()}}},
             {"decode", {{"type", "decode"}, {"from", "corpus"}}},
             {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 2}}},
             {"start", {{"type", "model"}, {"config", (root / "config").string()}}},
             {"save", {{"type", "checkpoint"}, {"model", "start"}}},
             {"wer", {{"type", "evaluate"}, {"models", {"save"}}, {"audio", "batch"}}}};
  }

  graph::Json& node(const char* name) { return nodes[name]; }

  graph::Graph graph(const char* out = "out") const {
    return make_graph(nodes.dump(), (root / out).string());
  }

  /// Runs all that has been put together.
  void run_as(const char* out) const {
    Recorder recorder;
    nodes::testing::run(graph(out), recorder);
  }

  /// What the check has to say.
  std::string complaint() const {
    Recorder recorder;
    try {
      graph::check(graph(), recorder, recorder.stop_signal);
    } catch (const graph::GraphError& error) {
      return error.what();
    }
    return "nothing";
  }
};

/// The same with a float, a fake-quantized and an int8 folder in root/made.
struct WithFolders : Sound {
  WithFolders() {
    const graph::Json sound = nodes;
    node("save")["folder"] = "float";
    node("observe") = {{"type", "calibrate"}, {"model", "save"}, {"audio", "batch"}};
    node("keep") = {{"type", "checkpoint"}, {"model", "observe"}, {"folder", "fake"}};
    node("int8") = {{"type", "convert"}, {"model", "keep"}};
    run_as("made");
    nodes = sound;
    start_from("float");
  }
  void start_from(const char* stage) {
    node("start") = {{"type", "model"}, {"path", (root / "made" / stage).string()}};
  }
};

}  // namespace

TEST_CASE("a sound graph is found so, with what was seen") {
  const Sound sound;
  CHECK(sound.complaint() == "nothing");
  Recorder recorder;
  const graph::Graph graph = sound.graph();
  const graph::Checked checked = graph::check(graph, recorder, recorder.stop_signal);
  std::string seen;
  for (const std::string& line : checked.seen) seen += line + "\n";
  CHECK_THAT(seen, ContainsSubstring(
                       "batch: 2 utterances of corpus, 1.1 s of audio an epoch at 16000 Hz\n") &&
                       ContainsSubstring("start: fresh weights for ") &&
                       ContainsSubstring("2 layers of 32, 32 tokens, 16000 Hz"));
}

TEST_CASE("transcripts that are needed and not there are found before anything is run") {
  Sound sound;
  sound.node("corpus") = {{"type", "folder"}, {"root", (sound.root / "corpus").string()}};
  CHECK_THAT(sound.complaint(),
             ContainsSubstring("test.json: node \"wer\", key \"audio\": \"batch\" has no "
                               "transcript to compare with: none of the 2 utterances of "
                               "\"corpus\" has one"));
  sound.nodes.erase("wer");
  sound.node("learn") = {{"type", "train"}, {"model", "save"}, {"audio", "batch"}};
  CHECK_THAT(sound.complaint(), ContainsSubstring("node \"learn\", key \"audio\": \"batch\" has no "
                                                  "transcript to learn from"));
  sound.node("learn") = {{"type", "checkpoint"}, {"model", "observe"}, {"folder", "ptq"}};
  sound.node("observe") = {{"type", "calibrate"}, {"model", "save"}, {"audio", "batch"}};
  CHECK(sound.complaint() == "nothing");  // ranges need none
}

TEST_CASE("a transcript that is no text costs its utterance, and is found before the run") {
  Sound sound;
  std::ofstream(sound.root / "corpus" / "train" / "101" / "1" / "101-1.trans.txt")
      << "101-1-0000 GOOD\n101-1-0001 B\xff"
      << "D\n";
  Recorder recorder;
  const graph::Graph graph = sound.graph();
  const graph::Checked checked = graph::check(graph, recorder, recorder.stop_signal);
  std::string seen;
  for (const std::string& line : checked.seen) seen += line + "\n";
  CHECK_THAT(seen, ContainsSubstring("batch: 2 utterances of corpus") &&
                       ContainsSubstring("1 that cannot be used: ") &&
                       ContainsSubstring("101-1-0001.flac: its transcript: expected UTF-8 text, "
                                         "found byte 255 at offset 1"));
  CHECK_THAT(seen, !ContainsSubstring("without a transcript"));
}

TEST_CASE("transcripts that are missing are told with what is there instead") {
  Sound sound;
  const fs::path audio = sound.root / "corpus" / "train" / "101" / "1";
  const fs::path manifest = sound.root / "all.jsonl";
  const auto write = [&](const std::string& more) {
    std::ofstream lines(manifest);
    for (const char* name : {"101-1-0000.flac", "101-1-0001.flac"}) {
      lines << R"({"audio_filepath": ")" << (audio / name).string() << "\"" << more << "}\n";
    }
  };
  sound.node("corpus") = {{"type", "manifest"}, {"path", manifest.string()}};
  for (const char* more :
       {R"(, "sentence": "said")", R"(, "sentence": "said", "text": null)",
        R"(, "sentence": "said", "text": "")", R"(, "sentence": "said", "text": " ")"}) {
    INFO(more);
    write(more);
    CHECK_THAT(sound.complaint(),
               ContainsSubstring("has no transcript to compare with: none of the 2 utterances of "
                                 "\"corpus\" has one; expected the text under \"text\"; ") &&
                   ContainsSubstring("has the keys \"audio_filepath, sentence"));
    sound.node("corpus")["text_key"] = "sentence";
    CHECK(sound.complaint() == "nothing");
    sound.node("corpus").erase("text_key");
  }
  write(R"(, "text": "..!")");
  CHECK_THAT(sound.complaint(), ContainsSubstring("normalization leaves nothing of any, the first "
                                                  "is that of "));
  sound.node("mixed") = {{"type", "mix"}, {"from", {"corpus"}}};
  sound.node("decode")["from"] = "mixed";
  write(R"(, "words": "said")");
  CHECK_THAT(sound.complaint(), ContainsSubstring("of \"mixed\" has one; corpus: expected the "
                                                  "text under \"text\""));
}

TEST_CASE("everything that is wrong with the files of a graph is told at once") {
  Sound sound;
  sound.node("corpus")["root"] = "/no/such/corpus";
  sound.node("other") = {{"type", "manifest"}, {"path", "/no/such/manifest.json"}};
  sound.node("other_decode") = {{"type", "decode"}, {"from", "other"}};
  sound.node("other_batch") = {{"type", "batch"}, {"from", "other_decode"}, {"size", 1}};
  sound.node("other_wer") = {{"type", "evaluate"}, {"models", {"save"}}, {"audio", "other_batch"}};
  sound.node("twice") = {{"type", "checkpoint"}, {"model", "save"}, {"folder", "./model/"}};
  const std::string complaint = sound.complaint();
  CHECK_THAT(complaint,
             ContainsSubstring("3 mistakes:\n") &&
                 ContainsSubstring("\n  node \"corpus\", key \"root\": /no/such/corpus") &&
                 ContainsSubstring("\n  node \"other\", key \"path\": /no/such/manifest.json") &&
                 ContainsSubstring("\n  node \"twice\", key \"folder\": \"./model/\" in the run's "
                                   "folder is what node \"save\" writes"));
}

TEST_CASE("nodes that cannot be made are told together, without those that draw from them") {
  Sound sound;
  sound.node("start")["config"] = "/no/such/config";
  sound.node("noise") = {{"type", "noise"}, {"from", "decode"}, {"folder", "/no/such/noise"}};
  sound.node("batch")["from"] = "noise";
  CHECK_THROWS_WITH(sound.graph(),
                    ContainsSubstring("2 mistakes:\n") &&
                        ContainsSubstring("node \"start\", key \"config\": /no/such/config") &&
                        ContainsSubstring("node \"noise\", key \"folder\": /no/such/noise"));
}

TEST_CASE("the run's own files are not a model's folder") {
  Sound sound;
  for (const char* name : {"checkpoints", "graph.json", "./checkpoints/", "."}) {
    sound.node("save")["folder"] = name;
    CHECK_THAT(sound.complaint(), ContainsSubstring("node \"save\", key \"folder\"") &&
                                      ContainsSubstring("is the run's own"));
  }
}

TEST_CASE("a noise that cannot be decoded is found before it is drawn") {
  Sound sound;
  write_float_wav(sound.root / "noise" / "good.wav", white_noise(500));
  sound.node("noise") = {
      {"type", "noise"}, {"from", "decode"}, {"folder", (sound.root / "noise").string()}};
  sound.node("batch")["from"] = "noise";
  std::ofstream(sound.root / "noise" / "._good.wav") << "what macOS puts beside it";
  CHECK(sound.complaint() == "nothing");
  std::ofstream(sound.root / "noise" / "broken.wav") << "no audio";
  CHECK_THAT(sound.complaint(), ContainsSubstring("test.json: node \"noise\", key \"folder\": ") &&
                                    ContainsSubstring("broken.wav") &&
                                    ContainsSubstring("repair the file or remove it"));
}

TEST_CASE("a model of a stage that does not fit is found by the folder's files") {
  WithFolders made;
  made.node("learn") = {{"type", "train"}, {"model", "start"}, {"audio", "batch"}};
  for (const char* stage : {"float", "fake"}) {
    made.start_from(stage);
    CHECK(made.complaint() == "nothing");
  }
  made.start_from("int8");
  CHECK_THAT(made.complaint(),
             ContainsSubstring("test.json: node \"learn\", key \"model\": \"start\" gives an "
                               "int8 model; train the float or fake-quantized one"));
  made.node("learn") = {{"type", "checkpoint"}, {"model", "observe"}, {"folder", "ptq"}};
  made.node("observe") = {{"type", "calibrate"}, {"model", "start"}, {"audio", "batch"}};
  CHECK_THAT(made.complaint(), ContainsSubstring("node \"observe\", key \"model\": \"start\" gives "
                                                 "an int8 model; calibration begins with a float"));
  made.start_from("fake");
  CHECK_THAT(made.complaint(), ContainsSubstring("gives a fake-quantized model; calibration"));
  made.nodes.erase("learn"), made.nodes.erase("observe");
  made.node("small") = {{"type", "convert"}, {"model", "start"}};
  CHECK(made.complaint() == "nothing");
  made.start_from("float");
  CHECK_THAT(made.complaint(), ContainsSubstring("node \"small\", key \"model\": \"start\" gives a "
                                                 "float model; put a calibrate node before"));
  made.start_from("int8");
  CHECK_THAT(made.complaint(), ContainsSubstring("it needs no conversion"));
}

TEST_CASE("weights that are cut off or missing are found before the corpus is heard") {
  WithFolders made;
  const fs::path weights = made.root / "made" / "float" / "model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) / 2);
  CHECK_THAT(made.complaint(), ContainsSubstring("test.json: node \"start\", key \"path\": ") &&
                                   ContainsSubstring("model.safetensors"));
  fs::remove(weights);
  CHECK_THAT(made.complaint(), ContainsSubstring("expected model.safetensors"));
}

TEST_CASE("a fake-quantized folder is evaluated, trained on as such and converted") {
  WithFolders made;
  made.start_from("fake");
  made.node("learn") = {
      {"type", "train"}, {"model", "start"}, {"audio", "batch"}, {"epochs", 2}, {"lr", 1e-3}};
  made.node("keep") = {{"type", "checkpoint"}, {"model", "learn"}, {"folder", "adapted"}};
  made.node("int8") = {{"type", "convert"}, {"model", "keep"}};
  made.node("wer")["models"] = {"start", "learn", "int8"};
  made.run_as("again");
  const fs::path before = made.root / "made", after = made.root / "again";
  const graph::Json wer =
      graph::read_json(after / "summary.json").at("evaluations").at("wer").at("wer");
  CHECK(wer.contains("fake_quantized"));
  CHECK(wer.contains("learn"));  // the second of its stage
  CHECK(wer.contains("int8"));
  // It learned, with the policy that it came with, and was converted as it then was.
  CHECK(bytes(after / "adapted" / "model.safetensors") !=
        bytes(before / "fake" / "model.safetensors"));
  CHECK(graph::read_json(after / "adapted" / "fake_quantization.json").at("policy") ==
        graph::read_json(before / "fake" / "fake_quantization.json").at("policy"));
  CHECK(bytes(after / "int8" / "model.safetensors") !=
        bytes(before / "int8" / "model.safetensors"));
  // Untrained, it becomes the very int8 model that its run made of it.
  made.nodes.erase("learn"), made.nodes.erase("keep");
  made.node("int8")["model"] = "start";
  made.node("wer")["models"] = {"int8"};
  made.run_as("straight");
  for (const char* file : {"model.safetensors", "quantization.json"}) {
    CHECK(bytes(made.root / "straight" / "int8" / file) == bytes(before / "int8" / file));
  }
}

TEST_CASE("a fake-quantized folder keeps its own tokens and a policy that is one") {
  WithFolders made;
  made.start_from("fake");
  std::ofstream(made.root / "vocab.json") << R"({"a": 0, "|": 1, "<unk>": 2, "<pad>": 3})";
  made.node("start")["vocabulary"] = made.root.string();
  CHECK_THROWS_WITH(made.graph(), ContainsSubstring("node \"start\": key \"vocabulary\": ") &&
                                      ContainsSubstring("holds a fake-quantized model"));
  made.start_from("fake");
  const fs::path file = made.root / "made" / "fake" / "fake_quantization.json";
  graph::Json quantization = graph::read_json(file);
  quantization["policy"]["attention"]["weight_bits"] = 3;
  graph::write_json(file, quantization);
  CHECK_THROWS_WITH(made.graph(), ContainsSubstring("node \"start\"") &&
                                      ContainsSubstring("attention.weight_bits: expected a whole "
                                                        "number of bits from 4 to 8, found 3"));
  std::ofstream(file) << "{}";
  CHECK_THROWS_WITH(made.graph(), ContainsSubstring("node \"start\", key \"path\": ") &&
                                      ContainsSubstring("fake_quantization.json: expected"));
}
