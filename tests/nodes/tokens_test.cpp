/// Heads, vocabularies and weights that do not quite belong together: what is refused, what is
/// told, and what works.
#include <nlohmann/json.hpp>

#include "graph/check.h"
#include "io/files/json_file.h"
#include "io/tensors/safetensors.h"
#include "io/text/tokenizer.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A float model in root/made/float, with the files of its own, and a corpus.
struct Made {
  TemporaryFolder temporary;
  fs::path root = temporary.path(), folder = root / "made" / "float";
  graph::Json start;

  Made() {
    flowqat::testing::make_corpus(root / "corpus", {.speakers = 1, .utterances = 2});
    flowqat::testing::write_small_config(root / "config");
    start = {{"config", (root / "config").string()}};
    save("made", "float");
    start = {{"path", folder.string()}};
  }

  graph::Graph graph(graph::Json more, const std::string& out) const {
    graph::Json nodes{{"corpus", {{"type", "librispeech"}, {"root", (root / "corpus").string()}}},
                      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
                      {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 2}}},
                      {"start", {{"type", "model"}, {"device", "cpu"}}}};
    nodes["start"].update(start);
    nodes.update(more);
    if (!more.contains("learn") && !more.contains("wer")) {
      for (const char* name : {"corpus", "decode", "batch"}) nodes.erase(name);
    }
    return make_graph(nodes.dump(), (root / out).string());
  }
  /// What a model node said that was saved into root/OUT/NAME.
  std::string save(const std::string& out, const std::string& name) const {
    Recorder recorder;
    nodes::testing::run(
        graph({{"save", {{"type", "checkpoint"}, {"model", "start"}, {"folder", name}}}}, out),
        recorder);
    std::string said;
    for (const std::string& line : recorder.said) said += line + "\n";
    return said;
  }
  /// What is said before anything is run.
  std::string before(const graph::Json& nodes) const {
    Recorder recorder;
    std::string seen;
    try {
      const graph::Graph made = graph(nodes, "checked");
      for (const std::string& line : graph::check(made, recorder, recorder.stop_signal).seen)
        seen += line + "\n";
    } catch (const graph::GraphError& error) {
      return std::string("refused: ") + error.what();
    }
    return seen;
  }
  std::string before_training() const {
    return before({{"learn", {{"type", "train"}, {"model", "start"}, {"audio", "batch"}}},
                   {"save", {{"type", "checkpoint"}, {"model", "learn"}}}});
  }
  std::string before_evaluation() const {
    return before({{"wer", {{"type", "evaluate"}, {"models", {"start"}}, {"audio", "batch"}}}});
  }
  void set(const char* field, const nlohmann::json& value) const {
    nlohmann::json config = io::read_json(folder / "config.json");
    config[field] = value;
    io::write_json(folder / "config.json", config);
  }
  nlohmann::json vocabulary() const { return io::read_json(folder / "vocab.json"); }
  void set_vocabulary(const nlohmann::json& tokens) const {
    io::write_json(folder / "vocab.json", tokens);
  }
  void transcribe(const std::string& text) const {
    std::ofstream(root / "corpus" / "train" / "101" / "1" / "101-1.trans.txt")
        << "101-1-0000 GOOD\n101-1-0001 " << text << "\n";
  }
};

using Catch::Matchers::StartsWith;

}  // namespace

TEST_CASE("a blank that is a letter is refused for training, and told of in all else") {
  const Made made;
  CHECK_THAT(made.before_training(), !StartsWith("refused"));
  made.set("pad_token_id", 5);
  const std::string said = R"(config.json has pad_token_id 5 ("E"), which is the CTC blank in )";
  CHECK_THAT(made.before_training(),
             StartsWith("refused: test.json: ") &&
                 ContainsSubstring("node \"learn\", key \"model\": " + said) &&
                 ContainsSubstring("is 0 (\"<pad>\"); set pad_token_id"));
  CHECK_THAT(made.before_evaluation(), !StartsWith("refused"));
  CHECK_THAT(made.save("again", "float"), ContainsSubstring("start: " + said));
}

TEST_CASE("a head that is drawn takes the vocabulary's blank") {
  Made made;
  const auto blank_of = [&](const std::string& out) {
    return io::read_json(made.root / out / "float" / "config.json").at("pad_token_id");
  };
  const std::string told = "the head is new: its CTC blank is the vocabulary's pad token, 0";
  made.set("pad_token_id", 5);
  nlohmann::json narrow = io::read_json(made.folder / "config.json");
  // Fresh weights for the whole.
  made.start = {{"config", made.folder.string()}};
  CHECK_THAT(made.save("fresh", "float"),
             ContainsSubstring(told) && !ContainsSubstring("is the CTC "));
  CHECK(blank_of("fresh") == 0);
  // Weights without a head.
  made.start = {{"path", made.folder.string()}};
  auto tensors = io::read_safetensors(made.folder / "model.safetensors");
  std::erase_if(tensors, [](const io::Tensor& t) { return t.name.starts_with("lm_head."); });
  io::write_safetensors(made.folder / "model.safetensors", tensors);
  CHECK_THAT(made.save("headless", "float"), ContainsSubstring(told));
  CHECK(blank_of("headless") == 0);
  CHECK_THAT(made.before_training(), !StartsWith("refused"));
}

TEST_CASE("a head with more tokens than the vocabulary works for everything but training") {
  const Made made;
  nlohmann::json tokens = made.vocabulary();
  tokens.erase("Z");
  tokens.erase("Q");
  made.set_vocabulary(tokens);
  CHECK_THAT(made.before_training(),
             StartsWith("refused") && ContainsSubstring("vocab_size 32, but the vocabulary holds "
                                                        "only 30 tokens: it can be used so"));
  CHECK_THAT(made.before_evaluation(), !StartsWith("refused"));
  CHECK_THAT(made.save("used", "float"), ContainsSubstring("only 30 tokens; what it says with the "
                                                           "others reads \"<unk>\""));
}

TEST_CASE("an unknown token outside of the head is told before training") {
  const Made made;
  nlohmann::json tokens = made.vocabulary();
  tokens.erase("<unk>");
  tokens["Ä"] = 3;
  made.set_vocabulary(tokens);
  made.transcribe("SO FÄR");
  CHECK_THAT(made.before_training(),
             ContainsSubstring("learn: the head has 32 of the vocabulary's 33 "
                               "tokens; no transcript needs the others"));
  made.transcribe("ROUTE 66");
  CHECK_THAT(made.before_training(),
             StartsWith("refused") &&
                 ContainsSubstring("the head has 32 tokens and none for \"<unk>\", which 1 "
                                   "transcript needs: 101-1-0001 (for what the vocabulary lacks: "
                                   "6 (2 times)"));
  CHECK_THAT(made.before_evaluation(), !StartsWith("refused"));
}

TEST_CASE("a prefix that all tensors share is taken off with a note") {
  const Made made;
  auto tensors = io::read_safetensors(made.folder / "model.safetensors");
  const std::string before = bytes(made.folder / "model.safetensors");
  for (io::Tensor& tensor : tensors) tensor.name.insert(0, "module.");
  io::write_safetensors(made.folder / "model.safetensors", tensors);
  CHECK_THAT(made.save("again", "float"),
             ContainsSubstring("took the prefix \"module.\" off the names of all tensors"));
  CHECK(bytes(made.root / "again" / "float" / "model.safetensors") == before);
}

TEST_CASE("weights of another network are refused in a few lines") {
  const Made made;
  auto tensors = io::read_safetensors(made.folder / "model.safetensors");
  for (io::Tensor& tensor : tensors) tensor.name.insert(0, "other_");
  io::write_safetensors(made.folder / "model.safetensors", tensors);
  std::string refusal;
  try {
    made.save("again", "float");
  } catch (const std::exception& error) {
    refusal = error.what();
  }
  CHECK_THAT(refusal, ContainsSubstring(made.folder.string() + ": ") && ContainsSubstring(" more"));
  CHECK(refusal.size() < 1500);
}

TEST_CASE("an adapter's folder is told from a model's") {
  Made made;
  fs::create_directory(made.root / "lora");
  std::ofstream(made.root / "lora" / "adapter_config.json") << "{}";
  made.start = {{"path", (made.root / "lora").string()}};
  CHECK_THAT(
      made.before_training(),
      StartsWith("refused") && ContainsSubstring("LoRA adapter, which is no model by itself"));
}
