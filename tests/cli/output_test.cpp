/// Results that have no place to go, and files that appear whole or not at all.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::call_and_interrupt;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A model with weights as they were drawn, and a corpus.
struct World {
  TemporaryFolder temporary;
  std::string corpus = at("corpus"), model = at("run/model");
  std::vector<fs::path> files = flowqat::testing::make_corpus(corpus);

  World() {
    flowqat::testing::write_small_config(at("config"));
    const nlohmann::json nodes = {{"start", {{"type", "model"}, {"config", at("config")}}},
                                  {"save", {{"type", "checkpoint"}, {"model", "start"}}}};
    std::ofstream(at("graph.json")) << nlohmann::json{{"nodes", nodes}};
    REQUIRE(call("run " + at("graph.json") + " --out " + at("run")).status == 0);
  }
  std::string at(const std::string& name) const { return (temporary.path() / name).string(); }
  /// How many files' names begin so, temporary ones too.
  int64_t count(const std::string& name) const {
    int64_t found = 0;
    for (const auto& entry : fs::directory_iterator(temporary.path())) {
      found += entry.path().filename().string().starts_with(name) ? 1 : 0;
    }
    return found;
  }
};

/// Commands that print something and need no model.
const std::vector<std::string> printing{
    "nodes",         "nodes train",     "nodes --markdown", "--help", "evaluate --help",
    "help quantize", "help --markdown", "--version",        "new",    "dot configs/full.json"};

void check_not_written(const Outcome& outcome) {
  CHECK(outcome.status == 3);
  CHECK_THAT(outcome.err,
             Catch::Matchers::StartsWith("flowqat: standard output: cannot be written: "));
}

}  // namespace

TEST_CASE("standard output on a full disk is status 3") {
  for (const std::string& arguments : printing) {
    INFO(arguments);
    check_not_written(call(arguments, FLOWQAT_SOURCE_DIR, " >/dev/full"));
  }
}

TEST_CASE("a pipe that nobody reads is status 3, and no silent end") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  close(ends[0]);
  for (const std::string& arguments : printing) {
    INFO(arguments);
    check_not_written(call(arguments, FLOWQAT_SOURCE_DIR, " >&" + std::to_string(ends[1])));
  }
  close(ends[1]);
}

TEST_CASE("results of commands on a model are not lost in silence") {
  const World world;
  const std::string corpus = " --manifest " + world.corpus;
  check_not_written(call("transcribe " + world.model + " " + world.files[0].string(),
                         FLOWQAT_SOURCE_DIR, " >/dev/full"));
  for (const std::string more : {"", " --json"}) {
    check_not_written(
        call("evaluate " + world.model + corpus + more, FLOWQAT_SOURCE_DIR, " >/dev/full"));
    check_not_written(call("inspect " + world.corpus + more, FLOWQAT_SOURCE_DIR, " >/dev/full"));
  }
  const Outcome listing = call("evaluate " + world.model + corpus + " --out /dev/full");
  CHECK(listing.status == 3);
  CHECK_THAT(listing.err, ContainsSubstring("/dev/full: cannot be written"));
  CHECK(call("inspect " + world.corpus + " --html /dev/full").status == 3);
  CHECK(call("run " + world.at("graph.json") + " --out /proc/flowqat").status == 3);
  CHECK(call("quantize " + world.model + corpus + " --batches 1 --out /proc/flowqat").status == 3);
  CHECK(call("export " + world.model + " --onnx /proc/flowqat/m.onnx").status == 3);
  CHECK(
      call("transcribe " + world.model + " " + world.files[0].string() + " --logits /proc/flowqat")
          .status == 3);
}

TEST_CASE("with --overwrite a command replaces what is there, whole") {
  const World world;
  const std::string out = world.at("heard.jsonl");
  const std::string command =
      "evaluate " + world.model + " --manifest " + world.corpus + " --limit 3 --out " + out;
  REQUIRE(call(command).status == 0);
  CHECK(call(command).status == 2);
  std::ofstream(out) << "before";
  CHECK(call(command + " --overwrite").status == 0);
  std::ifstream lines(out);
  const std::string text{std::istreambuf_iterator<char>(lines), {}};
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK_THAT(text, Catch::Matchers::StartsWith("{"));
  CHECK(world.count("heard.jsonl") == 1);

  const std::string transcribe =
      "transcribe " + world.model + " " + world.files[0].string() + " --logits " + world.at("npy");
  REQUIRE(call(transcribe).status == 0);
  CHECK(call(transcribe).status == 2);
  CHECK(call(transcribe + " --overwrite").status == 0);
}

TEST_CASE("an interrupted command leaves no half file, and what was there stays") {
  const World world;
  const std::string out = world.at("units.jsonl");
  std::ofstream(out) << "before";
  std::ofstream manifest(world.at("long.jsonl"));
  for (size_t i = 0; i < 2000; ++i) {
    manifest << nlohmann::json{{"audio_filepath", world.files[i % world.files.size()].string()},
                               {"duration", 0.5},
                               {"text", "A"}}
             << "\n";
  }
  manifest.close();
  const int status = call_and_interrupt("evaluate " + world.model + " --manifest " +
                                            world.at("long.jsonl") + " --overwrite --out " + out,
                                        world.at("err"), out + ".partial-*");
  CHECK(status == 130);
  CHECK(world.count("units.jsonl") == 1);
  std::ifstream kept(out);
  CHECK(std::string{std::istreambuf_iterator<char>(kept), {}} == "before");
}

TEST_CASE("a file that cannot be transcribed keeps its place in the output") {
  const World world;
  const std::string files =
      world.files[0].string() + " /no/such.wav " + world.files[1].string() + " README.md";
  const Outcome text = call("transcribe " + world.model + " " + files);
  CHECK(text.status == 1);
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 4);
  CHECK_THAT(text.err,
             ContainsSubstring("flowqat: /no/such.wav") && ContainsSubstring("README.md"));

  const Outcome json = call("transcribe --json " + world.model + " " + files);
  CHECK(json.status == 1);
  std::istringstream lines(json.out);
  std::vector<nlohmann::json> found;
  for (std::string line; std::getline(lines, line);) found.push_back(nlohmann::json::parse(line));
  REQUIRE(found.size() == 4);
  CHECK(found[0].at("path") == world.files[0].string());
  CHECK(found[2].at("path") == world.files[1].string());
  CHECK_FALSE(found[0].contains("error"));
  CHECK(found[1].at("path") == "/no/such.wav");
  CHECK_THAT(found[1].at("error").get<std::string>(), ContainsSubstring("/no/such.wav"));
  CHECK_FALSE(found[1].contains("text"));
  CHECK(found[3].at("path") == "README.md");
  CHECK(found[3].contains("error"));
}
