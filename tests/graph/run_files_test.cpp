/// What becomes of a run's folder when the program is killed while it writes, prunes or clears.
#include "graph/run_files.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/run_folder.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const Json kGraph{{"seed", 1}};
const std::vector<std::string> kOutputs = {"int8", "wer-*.jsonl"};

/// A run's folder with all that a run may leave, and something of a person's.
void make_run(const fs::path& path) {
  {
    RunFolder folder(path, kGraph, Existing::refuse, kOutputs);
    folder.begin(kGraph, RunInputs({}, {}));
  }
  for (const char* file :
       {"metrics.jsonl", "rejected.jsonl", "summary.json", "wer-int8.jsonl", "notes.txt",
        "report.html", "stopped.json", "events.out.tfevents.1.flowqat"}) {
    std::ofstream(path / file) << "{}\n";
  }
  fs::create_directories(path / "int8");
  std::ofstream(path / "int8" / "config.json") << "{}";
}

std::set<std::string> names_in(const fs::path& path) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename());
  return names;
}

}  // namespace

TEST_CASE("clearing removes all that the run is made of, as the run itself says, and no more") {
  const TemporaryFolder temporary;
  const fs::path path = temporary.path() / "run";
  make_run(path);
  clear_run(path, {"other"});
  CHECK(names_in(path) == std::set<std::string>{"notes.txt", "run.lock"});
}

TEST_CASE("clearing that was killed leaves no run, whenever it was, and is finished by the next") {
  // As far as the first so many renames.
  for (size_t done = 0; done <= 9; ++done) {
    INFO(done << " renames");
    const TemporaryFolder temporary;
    const fs::path path = temporary.path() / "run";
    make_run(path);
    const auto files = files_of_run(path, kOutputs);
    REQUIRE(files.size() == 10);
    CHECK(files.front() == "checkpoints");
    CHECK(files.back() == "graph.json");
    fs::create_directories(path / ".removing");
    for (size_t i = 0; i < done; ++i) fs::rename(path / files[i], path / ".removing" / files[i]);
    if (done == 0) {
      CHECK(holds_run(path));
      continue;
    }
    CHECK_FALSE(holds_run(path));
    CHECK_THROWS_WITH(check_run_folder(path, kGraph, Existing::resume),
                      ContainsSubstring("is being replaced"));
    const Json other{{"seed", 2}};
    RunFolder folder(path, other, Existing::refuse, {});  // it knows of int8 only by the old run
    folder.begin(other, RunInputs({}, {}));
    CHECK(names_in(path) ==
          std::set<std::string>{"notes.txt", "run.lock", "graph.json", "checkpoints"});
    CHECK(holds_run(path));
  }
}

TEST_CASE("what a killed program left half written or half removed goes when the run goes on") {
  const TemporaryFolder temporary;
  const fs::path path = temporary.path() / "run";
  make_run(path);
  for (const char* left : {"int8.partial", "int8.removing", "checkpoints/step-4.partial",
                           "checkpoints/step-2.removing", "checkpoints/after-learn.partial"}) {
    fs::create_directories(path / left / "deep");
  }
  for (const char* left :
       {"graph.json.partial", "summary.json.partial", "report.html.partial", "events.partial"}) {
    std::ofstream(path / left) << "{";
  }
  const RunFolder folder(path, kGraph, Existing::resume, kOutputs);
  CHECK(names_in(path / "checkpoints") == std::set<std::string>{"begin"});
  CHECK(names_in(path) == std::set<std::string>{"checkpoints", "events.out.tfevents.1.flowqat",
                                                "graph.json", "int8", "report.html", "stopped.json",
                                                "metrics.jsonl", "notes.txt", "rejected.jsonl",
                                                "run.lock", "summary.json", "wer-int8.jsonl"});
}

TEST_CASE("a folder is written whole or not at all") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "result";
  write_folder(path, [](const auto& folder) { std::ofstream(folder / "a") << "1"; });
  CHECK_THROWS(write_folder(path, [](const auto& folder) {
    std::ofstream(folder / "b") << "2";
    throw std::runtime_error("disk on fire");
  }));
  CHECK(fs::exists(path / "a"));
  write_folder(path, [](const auto& folder) { std::ofstream(folder / "c") << "3"; });
  CHECK(fs::exists(path / "c"));
  CHECK_FALSE(fs::exists(path / "a"));
  CHECK(names_in(temporary.path()) == std::set<std::string>{"result"});
  remove_whole(path);
  CHECK(fs::is_empty(temporary.path()));
  CHECK_NOTHROW(remove_whole(path));
}

TEST_CASE("a file that is no JSON is told with its name and the place") {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path() / "a.json") << "{\"a\": }";
  CHECK_THROWS_WITH(read_json(temporary.path() / "a.json"),
                    ContainsSubstring("a.json: is not JSON at line 1, column 7"));
  CHECK_THROWS_WITH(read_json(temporary.path() / "b.json"),
                    ContainsSubstring("b.json: cannot be read: No such file"));
  CHECK_THROWS_WITH(read_json(temporary.path()), ContainsSubstring("cannot be read"));
}
