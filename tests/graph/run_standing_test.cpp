#include "graph/run_standing.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/run_files.h"
#include "graph/run_folder.h"
#include "graph/run_lock.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;

namespace {

std::string told(const std::filesystem::path& run) {
  const RunStanding standing = standing_of(run);
  return state_name(standing.state) + (standing.why.empty() ? "" : ": " + standing.why);
}

}  // namespace

TEST_CASE("a folder says how its run stands") {
  const flowqat::testing::TemporaryFolder folder;
  const std::filesystem::path run = folder.path();
  CHECK_THROWS_AS(standing_of(run), GraphError);
  std::ofstream(run / kGraphFile) << "{}";
  CHECK_THAT(told(run), ContainsSubstring("interrupted: ended without a word"));
  {
    const RunLock lock(run);
    CHECK(told(run) == "running");
  }
  write_stopped(run, RunState::interrupted, "stopped by a signal");
  CHECK(told(run) == "interrupted: stopped by a signal");
  write_stopped(run, RunState::failed, "no audio");
  CHECK(told(run) == "failed: no audio");
  std::filesystem::create_directories(run / kStatesFolder / "end");
  CHECK(told(run) == "failed: no audio");  // of what was to become of it since
  std::ofstream(run / kStoppedFile) << "{";
  CHECK(told(run) == "interrupted: stopped.json cannot be read");
  std::filesystem::remove(run / kStoppedFile);
  CHECK(told(run) == "finished");
}
