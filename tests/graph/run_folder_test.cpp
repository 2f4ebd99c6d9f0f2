#include "graph/run_folder.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/ledger.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Takes a folder as a run does, and leaves it as one that was killed at once.
bool begin(const fs::path& path, const Json& graph, Existing existing,
           const std::vector<std::string>& outputs = {}) {
  RunFolder folder(path, graph, existing, outputs);
  folder.begin(graph, RunInputs({}, {}));
  return folder.resumed();
}

}  // namespace

TEST_CASE("a folder that holds a run is refused, resumed or replaced, as asked") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  const Json graph{{"seed", 1}, {"threads", 2}, {"out", "x"}};
  CHECK_FALSE(begin(path, graph, Existing::refuse));
  CHECK_THROWS_WITH(begin(path, graph, Existing::refuse), ContainsSubstring("--resume"));
  write_json(path / "summary.json", Json::object());
  CHECK(begin(path, graph, Existing::resume));
  CHECK(fs::exists(path / "summary.json"));
  CHECK_FALSE(begin(path, graph, Existing::overwrite));
  CHECK_FALSE(fs::exists(path / "summary.json"));
}

TEST_CASE("where there is no run to resume, none is begun") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  CHECK_THROWS_WITH(begin(path, Json::object(), Existing::resume),
                    ContainsSubstring("run: holds no run to resume"));
  CHECK_FALSE(fs::exists(path));
  CHECK_THROWS_AS(graph_of_run(path), GraphError);
}

TEST_CASE("a folder with other things under the names of a run's is not taken for one") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  fs::create_directories(path / "model");
  std::ofstream(path / "notes.txt") << "mine";
  CHECK_THROWS_WITH(begin(path, Json::object(), Existing::refuse, {"model"}),
                    ContainsSubstring("holds \"model\", which the run would write"));
  CHECK_FALSE(begin(path, Json::object(), Existing::overwrite, {"model"}));
  CHECK_FALSE(fs::exists(path / "model"));
  CHECK(fs::exists(path / "notes.txt"));
  // A summary by itself, as of a run that another program cleared, is no run either.
  const auto stray = temporary.path() / "stray";
  fs::create_directories(stray);
  write_json(stray / "summary.json", Json::object());
  CHECK_THROWS_WITH(begin(stray, Json::object(), Existing::refuse),
                    ContainsSubstring("\"summary.json\""));
  CHECK_THROWS_WITH(begin(stray, Json::object(), Existing::resume),
                    ContainsSubstring("holds no run to resume"));
}

TEST_CASE("a run is resumed with the same graph only, and what decides of nothing may change") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  begin(path, {{"seed", 1}, {"threads", 2}, {"out", "x"}}, Existing::refuse);
  CHECK_NOTHROW(begin(path, {{"out", "y"}, {"seed", 1}, {"threads", 4}}, Existing::resume));
  CHECK_THROWS_WITH(begin(path, {{"seed", 2}, {"threads", 2}}, Existing::resume),
                    ContainsSubstring("/seed (1 before, 2 now)") &&
                        ContainsSubstring("checkpoints/begin/graph.json"));
}

TEST_CASE("a key that came later, with its default, makes no other graph") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  begin(path, {{"out", "x"}}, Existing::refuse);
  CHECK_NOTHROW(begin(path, {{"out", "x"}, {"seed", 1}}, Existing::resume));
  CHECK_THROWS_WITH(begin(path, {{"out", "x"}, {"seed", 2}}, Existing::resume),
                    ContainsSubstring("/seed (nothing before, 2 now)"));
}

TEST_CASE("a run that was begun when graphs had a rank goes on without it") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  begin(path, {{"seed", 7}, {"rank", 0}, {"world_size", 1}}, Existing::refuse);
  CHECK_NOTHROW(begin(path, {{"seed", 7}}, Existing::resume));
}

TEST_CASE("a damaged graph.json is made good from the copy of the beginning") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  begin(path, {{"seed", 1}}, Existing::refuse);
  CHECK(graph_of_run(path) == path / "graph.json");
  std::ofstream(path / "graph.json") << "{\"seed\": ";
  CHECK(graph_of_run(path) == path / "checkpoints" / "begin" / "graph.json");
  CHECK_THROWS_WITH(begin(path, {{"seed", 2}}, Existing::resume), ContainsSubstring("/seed"));
  fs::remove(path / "graph.json");
  CHECK(graph_of_run(path) == path / "checkpoints" / "begin" / "graph.json");
  CHECK_THROWS_WITH(begin(path, {{"seed", 1}}, Existing::refuse),
                    ContainsSubstring("holds a run already"));
  CHECK(begin(path, {{"seed", 1}}, Existing::resume));
  CHECK(read_json(path / "graph.json").at("seed") == 1);
}

TEST_CASE("a folder that cannot be made is an error with its name") {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path() / "file") << "x";
  CHECK_THROWS_WITH(begin(temporary.path() / "file" / "run", Json::object(), Existing::refuse),
                    ContainsSubstring("file/run") && ContainsSubstring("cannot be written"));
}

TEST_CASE("whether a folder can be written is known without leaving anything there") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "a" / "b";
  CHECK_NOTHROW(check_run_folder(path, Json::object(), Existing::refuse));
  CHECK(fs::is_empty(temporary.path()));
  CHECK_THROWS_WITH(check_run_folder("/proc/none", Json::object(), Existing::overwrite),
                    ContainsSubstring("/proc/none: the run's folder cannot be written") &&
                        ContainsSubstring("--out"));
  std::ofstream(temporary.path() / "file") << "x";
  CHECK_THROWS_AS(check_run_folder(temporary.path() / "file", Json::object(), Existing::overwrite),
                  RunError);
}

TEST_CASE("one process at a time writes a run, and who it is is told") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  {
    const RunFolder first(path, Json::object(), Existing::refuse);
    const std::string told = "run: is being written by another run (process " +
                             std::to_string(::getpid()) + " on the machine ";
    CHECK_THROWS_WITH(RunFolder(path, Json::object(), Existing::overwrite),
                      ContainsSubstring(told) && ContainsSubstring(", since 2"));
    CHECK_THROWS_WITH(check_run_folder(path, Json::object(), Existing::overwrite),
                      ContainsSubstring(told));
    CHECK_THROWS_AS(check_lock(path), GraphError);
    fs::remove(path / "run.lock");  // of no avail
    CHECK_THROWS_AS(RunFolder(path, Json::object(), Existing::overwrite), GraphError);
  }
  // The file stays, but whoever held the lock is gone.
  CHECK(fs::exists(path / "run.lock"));
  CHECK_NOTHROW(RunFolder(path, Json::object(), Existing::refuse));
}

TEST_CASE("a ledger restored from a checkpoint goes on as if nothing had come after it") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "rejected.jsonl";
  IndexEntry entry;
  entry.id = "u";
  entry.path = "bytes that are no UTF-8: \xff";
  Batch batch;
  batch.number = 1;
  batch.rows.resize(1);
  batch.rows[0].entry = &entry;
  batch.rows[0].rejected = RejectedBy{"n", "r"};
  Ledger ledger(path);
  ledger.add(batch, "x", 0);
  const Json state = ledger.state();
  const auto size = fs::file_size(path);
  ledger.add(batch, "x", 0);
  CHECK(ledger.rejected_in("x", 0) == 2);
  const std::string two = ledger.batches_sha256();
  const Json read = Json::parse(state.dump());
  Ledger resumed(path, read);
  resumed.restore(read);
  CHECK(fs::file_size(path) == size);
  CHECK(resumed.rejected_in("x", 0) == 1);
  resumed.add(batch, "x", 0);
  CHECK(resumed.batches_sha256() == two);
  CHECK(resumed.rejected() == 2);
  CHECK(resumed.rejected_in("x", 0) == 2);
  CHECK(fs::file_size(path) == 2 * size);
  // Another epoch, another consumer, or the same epoch from its beginning has its own budget.
  CHECK(resumed.rejected_in("x", 1) == 0);
  CHECK(resumed.rejected_in("y", 0) == 0);
  // One that another stream is drawn in the middle of is still at hand behind it.
  resumed.add(batch, "x: dev", 0);
  CHECK(resumed.rejected_in("x: dev", 0) == 1);
  Ledger again(path, Json::parse(resumed.state().dump()));
  again.restore(Json::parse(resumed.state().dump()));
  CHECK(again.rejected_in("x", 0) == 2);
  resumed.open({.consumer = "x", .epoch = 0, .is_begun = true});
  CHECK(resumed.rejected_in("x", 0) == 2);
  resumed.open({.consumer = "x", .epoch = 0});
  resumed.add(batch, "x", 0);
  CHECK(resumed.rejected_in("x", 0) == 1);
}
