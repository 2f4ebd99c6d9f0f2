#include "graph/run_folder.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/ledger.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;

TEST_CASE("a folder that holds a run is refused, resumed or replaced, as asked") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  const Json graph{{"seed", 1}, {"threads", 2}, {"out", "x"}};
  CHECK_FALSE(RunFolder(path, graph, Existing::refuse).resumed());
  CHECK_THROWS_WITH(RunFolder(path, graph, Existing::refuse), ContainsSubstring("--resume"));
  write_json(path / "summary.json", Json::object());
  CHECK(RunFolder(path, graph, Existing::resume).resumed());
  CHECK(std::filesystem::exists(path / "summary.json"));
  CHECK_FALSE(RunFolder(path, graph, Existing::overwrite).resumed());
  CHECK_FALSE(std::filesystem::exists(path / "summary.json"));
}

TEST_CASE("a run is resumed with the same graph only, and threads and place may change") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "run";
  RunFolder(path, {{"seed", 1}, {"threads", 2}, {"out", "x"}}, Existing::refuse);
  CHECK_NOTHROW(RunFolder(path, {{"seed", 1}, {"threads", 4}, {"out", "y"}}, Existing::resume));
  CHECK_THROWS_WITH(RunFolder(path, {{"seed", 2}, {"threads", 2}}, Existing::resume),
                    ContainsSubstring("/seed"));
}

TEST_CASE("a folder that cannot be made is an error with its name") {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path() / "file") << "x";
  CHECK_THROWS_WITH(RunFolder(temporary.path() / "file" / "run", Json::object(), Existing::refuse),
                    ContainsSubstring("file/run") && ContainsSubstring("cannot be written"));
}

TEST_CASE("whether a folder can be written is known without leaving anything there") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "a" / "b";
  CHECK_NOTHROW(check_run_folder(path, Json::object(), Existing::refuse));
  CHECK(std::filesystem::is_empty(temporary.path()));
  CHECK_THROWS_WITH(check_run_folder("/proc/none", Json::object(), Existing::overwrite),
                    ContainsSubstring("/proc/none: the run's folder cannot be written") &&
                        ContainsSubstring("--out"));
  std::ofstream(temporary.path() / "file") << "x";
  CHECK_THROWS_AS(check_run_folder(temporary.path() / "file", Json::object(), Existing::overwrite),
                  RunError);
}

TEST_CASE("the newest checkpoint of a step is found and older ones are pruned") {
  const TemporaryFolder temporary;
  const RunFolder first(temporary.path() / "run", Json::object(), Existing::refuse);
  for (int step : {5, 40, 100}) {
    write_folder(first.checkpoint_path(step), [&](const auto& folder) {
      write_json(folder / "state.json", {{"step", step == 5 ? "learn" : "adapt"}});
    });
  }
  CHECK_FALSE(first.newest_checkpoint("adapt"));  // a fresh run has nothing to go on from
  const RunFolder again(temporary.path() / "run", Json::object(), Existing::resume);
  CHECK(again.newest_checkpoint("adapt")->folder.filename() == "step-100");
  CHECK(again.newest_checkpoint("learn")->folder.filename() == "step-5");
  CHECK_FALSE(again.newest_checkpoint("other"));
  again.prune_checkpoints(2);
  CHECK_FALSE(again.newest_checkpoint("learn"));
  CHECK(std::filesystem::exists(again.checkpoint_path(40)));
}

TEST_CASE("a folder is written whole or not at all") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "result";
  write_folder(path, [](const auto& folder) { std::ofstream(folder / "a") << "1"; });
  CHECK_THROWS(write_folder(path, [](const auto& folder) {
    std::ofstream(folder / "b") << "2";
    throw std::runtime_error("disk on fire");
  }));
  CHECK(std::filesystem::exists(path / "a"));
  write_folder(path, [](const auto& folder) { std::ofstream(folder / "c") << "3"; });
  CHECK(std::filesystem::exists(path / "c"));
  CHECK_FALSE(std::filesystem::exists(path / "a"));
}

TEST_CASE("a ledger restored from a checkpoint goes on as if nothing had come after it") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "rejected.jsonl";
  IndexEntry entry;
  entry.id = "u";
  entry.path = "bytes that are no UTF-8: \xff";
  Batch batch;
  batch.rows.resize(1);
  batch.rows[0].entry = &entry;
  batch.rows[0].rejected = RejectedBy{"n", "r"};
  Ledger ledger(path);
  ledger.add(batch, "x", 0);
  const Json state = ledger.state();
  const auto size = std::filesystem::file_size(path);
  ledger.add(batch, "x", 0);
  const std::string two = ledger.batches_sha256();
  const Json read = Json::parse(state.dump());
  Ledger resumed(path, read);
  resumed.restore(read);
  CHECK(std::filesystem::file_size(path) == size);
  resumed.add(batch, "x", 0);
  CHECK(resumed.batches_sha256() == two);
  CHECK(resumed.rejected() == 2);
  CHECK(std::filesystem::file_size(path) == 2 * size);
}
