/// `flowqat export`: what it writes, and what it refuses. Its numbers are compared in
/// tests/parity/onnx_test.py.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void check_refused(const Outcome& outcome, const std::string& place, const std::string& reason,
                   int status = 2) {
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring(place) && ContainsSubstring(reason));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') <= 2);  // a note and the reason
}

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Leaves float/, fake/ and int8/ in `folder`/out.
void make_models(const fs::path& folder) {
  flowqat::testing::make_corpus(folder / "corpus", {.speakers = 1, .utterances = 4});
  flowqat::testing::write_small_config(folder / "config");
  const nlohmann::json nodes{
      {"corpus", {{"type", "librispeech"}, {"root", (folder / "corpus").string()}}},
      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", 16000}}},
      {"batch", {{"type", "batch"}, {"from", "resample"}, {"size", 1}}},
      {"start", {{"type", "model"}, {"config", (folder / "config").string()}, {"device", "cpu"}}},
      {"float", {{"type", "checkpoint"}, {"model", "start"}, {"folder", "float"}}},
      {"observe", {{"type", "calibrate"}, {"model", "float"}, {"audio", "batch"}}},
      {"fake", {{"type", "checkpoint"}, {"model", "observe"}, {"folder", "fake"}}},
      {"int8", {{"type", "convert"}, {"model", "fake"}}}};
  std::ofstream(folder / "graph.json")
      << nlohmann::json{{"out", (folder / "out").string()}, {"nodes", nodes}};
  const Outcome run = call("--graph " + (folder / "graph.json").string());
  INFO(run.err);
  REQUIRE(run.status == 0);
}

}  // namespace

TEST_CASE("export writes a float and an int8 model with the processor's files, and replaces none") {
  const TemporaryFolder temporary;
  const fs::path& root = temporary.path();
  make_models(root);
  const std::string out = (root / "out").string();
  const std::string file = (root / "new" / "folder" / "model.onnx").string();

  const Outcome first = call("export " + out + "/float --onnx " + file);
  CHECK(first.status == 0);
  CHECK(first.out.empty());
  CHECK_THAT(first.err,
             ContainsSubstring("written to " + file + " (float): opset 17, tested with ONNX"));
  for (const char* name : {"vocab.json", "tokenizer_config.json", "preprocessor_config.json"}) {
    CHECK(fs::exists(root / "new" / "folder" / name));
  }
  const std::string written = content(file);
  CHECK_THAT(written, ContainsSubstring("lm_head.weight"));

  const Outcome again = call("export " + out + "/int8 --onnx " + file);
  check_refused(again, file, "is already there; choose another name, or add --overwrite");
  CHECK(content(file) == written);
  CHECK(call("export " + out + "/int8 --overwrite --onnx " + file).status == 0);
  CHECK(content(file).size() < written.size());
  CHECK_THAT(content(file), ContainsSubstring("QuantizeLinear"));

  const Outcome faster = call("export " + out + "/int8 --overwrite --weights int8 --onnx " + file);
  CHECK_THAT(faster.err, ContainsSubstring("--weights int8: sums may saturate"));
  CHECK(call("export " + out + "/int8 --overwrite --onnx " + file).err.find("saturate") ==
        std::string::npos);
  check_refused(call("export " + out + "/int8 --overwrite --opset 16 --onnx " + file), "--opset",
                "from 17 to 25");

  SECTION("a fake-quantized model as what conversion makes of it, of which nothing else is left") {
    const fs::path temporary_files = root / "temporary";
    fs::create_directories(temporary_files);
    ::setenv("TMPDIR", temporary_files.c_str(), 1);
    const std::string fake_file = (root / "new" / "fake.onnx").string();
    const Outcome fake = call("export " + out + "/fake --onnx " + fake_file);
    INFO(fake.err);
    CHECK(fake.status == 0);
    CHECK_THAT(fake.err, ContainsSubstring("written to " + fake_file + " (int8)"));
    CHECK(content(fake_file) == content(file));
    std::ofstream(out + "/fake/fake_quantization.json") << "{}";
    check_refused(call("export " + out + "/fake --onnx " + out + "/fake.onnx"), out + "/fake",
                  "quantization: field \"format\" is missing", 1);
    CHECK_FALSE(fs::exists(out + "/fake.onnx"));
    CHECK(fs::is_empty(temporary_files));
    ::unsetenv("TMPDIR");
  }
  SECTION("beside the model itself its own files stay as they are") {
    const std::string before = content(root / "out" / "int8" / "vocab.json");
    fs::remove(root / "out" / "int8" / "special_tokens_map.json");
    CHECK(call("export " + out + "/int8 --onnx " + out + "/int8/model.onnx").status == 0);
    CHECK(content(root / "out" / "int8" / "vocab.json") == before);
    CHECK_FALSE(fs::exists(root / "out" / "int8" / "special_tokens_map.json"));
  }
  SECTION("another model's processor is not replaced unasked") {
    std::ofstream(root / "new" / "folder" / "vocab.json") << R"({"<pad>": 0, "<unk>": 1, "|": 2})";
    const std::string other = (root / "new" / "folder" / "other.onnx").string();
    check_refused(call("export " + out + "/int8 --onnx " + other),
                  (root / "new" / "folder" / "vocab.json").string(), "belongs to another model");
    CHECK_FALSE(fs::exists(other));
    CHECK(call("export " + out + "/int8 --overwrite --onnx " + other).status == 0);
  }
  SECTION("a place that cannot be written leaves nothing behind") {
    const std::string folder = (root / "new" / "folder").string();
    const size_t files = files_in(folder);
    check_refused(call("export " + out + "/int8 --overwrite --onnx " + folder), folder,
                  "expected the name of a file to write, found a folder");
    check_refused(call("export " + out + "/int8 --onnx /proc/flowqat/model.onnx"), "/proc/flowqat",
                  "cannot be created", 3);
    check_refused(call("export " + out + "/int8 --onnx " + file + "/model.onnx"), file,
                  "cannot be created", 3);
    check_refused(call("export " + out + "/int8 --onnx /proc/model.onnx"), "/proc/model.onnx",
                  "cannot be written", 3);
    fs::remove(root / "out" / "float" / "model.safetensors");
    check_refused(call("export " + out + "/float --onnx " + folder + "/a.onnx"), out + "/float",
                  "expected model.safetensors", 1);
    CHECK(files_in(folder) == files);
  }
}

TEST_CASE("export refuses what is no model folder, and a command without its file") {
  check_refused(call("export /no/such/model --onnx /tmp/none.onnx"), "/no/such/model",
                "no such folder");
  CHECK(call("export model").status == 2);
  CHECK(call("export --onnx model.onnx").status == 2);
}
