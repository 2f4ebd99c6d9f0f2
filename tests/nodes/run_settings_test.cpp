/// What a graph says of how it is run: checkpoints and threads.
#include <nlohmann/json.hpp>
#include <set>

#include "graph/usable_cores.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("checkpoints come as often, and stay as many, as the graph says") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const fs::path out = temporary.path() / "out";
  /// Those that a run leaves that is stopped behind its fourth step.
  const auto left = [&](const std::string& every_s, const std::string& keep) {
    fs::remove_all(out);
    Recorder stopped;
    stopped.stop_at = "learn: 4 of ";
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out",
                                         {"learn.checkpoint_every_s=" + every_s,
                                          "learn.keep_checkpoints=" + keep}),
                        stopped),
                    graph::Interrupted);
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(out / "checkpoints")) {
      const std::string name = entry.path().filename();
      if (name.starts_with("step-")) names.insert(name);
    }
    return names;
  };
  using Names = std::set<std::string>;
  CHECK(left("0", "3") == Names{"step-4"});
  CHECK(left("3600", "3") == Names{"step-4"});
  CHECK(left("1e-9", "3") == Names{"step-2", "step-3", "step-4"});
  CHECK(left("1e-9", "1") == Names{"step-4"});
}

TEST_CASE("compute_threads are LibTorch's threads, and what the machine has without it") {
  const TemporaryFolder temporary;
  flowqat::testing::write_small_config(temporary.path() / "config");
  const auto threads = [&](const std::string& key) {
    const std::string folder = temporary.path().string();
    fs::remove_all(temporary.path() / "out");
    Recorder recorder;
    const graph::Json summary =
        run(make_graph(R"({"start": {"type": "model", "device": "cpu", "config": ")" + folder +
                           R"(/config")" + key + R"(},
                           "save": {"type": "checkpoint", "model": "start", "folder": "model"}})",
                       folder + "/out"),
            recorder);
    return summary.at("machine").at("compute_threads").get<int>();
  };
  CHECK(threads(R"(, "compute_threads": 3)") == 3);
  CHECK(threads(R"(, "compute_threads": 1)") == 1);
  CHECK(threads("") == graph::usable_cores());
}
