/// Closed and full outputs, and too little memory: nothing computed is lost, and one message tells.
#include <algorithm>
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

/// A graph without a model, or one that evaluates a small one.
struct World {
  TemporaryFolder temporary;

  World() {
    flowqat::testing::make_corpus(at("corpus"));
    flowqat::testing::write_small_config(at("config"));
    nlohmann::json nodes = {
        {"corpus", {{"type", "librispeech"}, {"root", at("corpus")}, {"cache", false}}},
        {"decode", {{"type", "decode"}, {"from", "corpus"}}},
        {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 1}}}};
    std::ofstream(at("data.json")) << nlohmann::json{{"threads", 4}, {"nodes", nodes}};
    nodes["start"] = {{"type", "model"}, {"config", at("config")}, {"device", "cpu"}};
    nodes["wer"] = {{"type", "evaluate"}, {"models", {"start"}}, {"audio", "batch"}};
    std::ofstream(at("model.json")) << nlohmann::json{{"threads", 2}, {"nodes", nodes}};
  }
  std::string at(const std::string& name) const { return (temporary.path() / name).string(); }
  std::string run(const std::string& graph, const std::string& out) const {
    return "run " + at(graph) + " --out " + at(out);
  }
};

}  // namespace

TEST_CASE("a run whose output is full or closed is whole, and status 3") {
  const World world;
  const std::vector<std::string> places{" >/dev/full", " >&-", " </dev/null >&- <&-"};
  for (const std::string graph : {"data.json", "model.json"}) {
    for (const std::string& place : places) {
      INFO(graph << place);
      fs::remove_all(world.at("out"));
      const Outcome outcome = call(world.run(graph, "out"), FLOWQAT_SOURCE_DIR, place);
      CHECK(outcome.status == 3);
      CHECK_THAT(outcome.err, ContainsSubstring("flowqat: standard output: cannot be written: ") &&
                                  ContainsSubstring("; the run is complete, in "));
      std::ifstream file(world.at("out/summary.json"));
      const auto summary = nlohmann::json::parse(file);
      CHECK(summary.at("utterances").at("done") == 12);
      // What is printed must not have gone into a file that took standard output's number.
      for (const char* name : {"metrics.jsonl", "rejected.jsonl"}) {
        std::ifstream lines(world.at("out") + "/" + name);
        for (std::string line; std::getline(lines, line);) CHECK(nlohmann::json::accept(line));
      }
    }
  }
}

TEST_CASE("standard error that is closed or full changes nothing") {
  const World world;
  for (const std::string place : {"2>&-", "2>/dev/full"}) {
    INFO(place);
    const std::string command = "'" FLOWQAT_BUILD_DIR "/flowqat' " + world.run("data.json", "out") +
                                " --overwrite >/dev/null " + place;
    CHECK(std::system(command.c_str()) == 0);
    CHECK(fs::exists(world.at("out/summary.json")));
  }
}

TEST_CASE("a limit of memory ends in one message, whatever it is too low for") {
  const World world;
  const auto check_limit = [&](const std::string& graph, int megabytes) {
    INFO(graph << " in " << megabytes << " MB");
    fs::remove_all(world.at("out"));
    std::ofstream(world.at("limited.sh"))
        << "ulimit -c 0 -v " << megabytes << "000\nexec timeout -k 1 120 '" FLOWQAT_BUILD_DIR
        << "/flowqat' " << world.run(graph, "out") << " >/dev/null 2>'" << world.at("err") << "'\n";
    const int raw = std::system(("bash '" + world.at("limited.sh") + "'").c_str());
    std::ifstream err(world.at("err"));
    const std::string told{std::istreambuf_iterator<char>(err), {}};
    INFO(told);
    REQUIRE(WIFEXITED(raw));
    const int status = WEXITSTATUS(raw);
    if (status == 127) return false;  // not even the program's libraries have room
    CHECK((status == 0 || status == 1));
    // The message of the program's own end, and nothing behind it.
    const size_t at = told.find("flowqat: ");
    CHECK((at != std::string::npos) == (status == 1));
    if (status == 1) CHECK(std::count(told.begin() + static_cast<long>(at), told.end(), '\n') == 1);
    return status == 1;
  };
  int refused = 0;
  for (int megabytes = 150; megabytes <= 400; megabytes += 10) {
    refused += check_limit("data.json", megabytes) ? 1 : 0;
  }
  CHECK(refused > 0);
  for (const int megabytes : {600, 800, 1000, 1200}) check_limit("model.json", megabytes);
}
