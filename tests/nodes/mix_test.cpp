#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "graph/pipeline.h"
#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

/// Folders "a" (10 files) and "b" (40 files).
void write_corpora(const std::filesystem::path& root) {
  for (uint32_t i = 0; i < 50; ++i) {
    write_float_wav(root / (i < 10 ? "a" : "b") / (std::to_string(i) + ".wav"),
                    white_noise(1600, i));
  }
}

graph::Graph mix_graph(const std::filesystem::path& root, const std::string& mix_keys,
                       const std::string& a_keys = "") {
  return make_graph(R"({"a": {"type": "folder", "root": ")" + (root / "a").string() + "\"" +
                    a_keys + R"(}, "b": {"type": "folder", "root": ")" + (root / "b").string() +
                    R"("}, "mix": {"type": "mix", )" + mix_keys +
                    R"(}, "decode": {"type": "decode", "from": "mix"},
                        "batch": {"type": "batch", "from": "decode", "size": 8}})");
}

/// How often each utterance is presented in an epoch.
std::map<std::string, int> presented(const graph::Pipeline& pipeline, int64_t epoch) {
  std::map<std::string, int> counts;
  for (const graph::PlannedBatch& batch : pipeline.plan("x", epoch)) {
    for (const graph::Presentation& at : batch.rows) ++counts[pipeline.index()[at.entry].id];
  }
  return counts;
}

struct Mixed {
  Mixed(const std::filesystem::path& root, const std::string& keys, const std::string& a_keys = "")
      : graph(mix_graph(root, keys, a_keys)),
        threads(2),
        pipeline(*graph.batchers().front(), {}, threads, ledger) {}
  graph::Graph graph;
  graph::DataThreads threads;
  graph::Ledger ledger;
  graph::Pipeline pipeline;
};

}  // namespace

TEST_CASE("a mix presents each corpus as often as its weight says, fractions anew every epoch") {
  const TemporaryFolder temporary;
  write_corpora(temporary.path());
  const Mixed mixed(temporary.path(), R"("from": ["a", "b"], "weights": [2, 0.5])");
  CHECK(mixed.pipeline.selection().presented_s == Approx(4.0));  // 20 and on average 20 of 0.1 s
  std::map<std::string, int> sums;
  double total = 0;
  for (int64_t epoch = 0; epoch < 40; ++epoch) {
    const auto counts = presented(mixed.pipeline, epoch);
    for (const auto& [id, count] : counts) {
      CHECK(count == (id.starts_with("a/") ? 2 : 1));
      sums[id] += count, total += count;
    }
  }
  CHECK(sums.size() == 50);
  CHECK(total / 40 == Approx(40).margin(2));
  CHECK(presented(mixed.pipeline, 0) != presented(mixed.pipeline, 1));
  CHECK(presented(mixed.pipeline, 1) == presented(mixed.pipeline, 1));
}

TEST_CASE("what is presented twice in an epoch has draws of its own each time") {
  const TemporaryFolder temporary;
  write_corpora(temporary.path());
  const Mixed mixed(temporary.path(), R"("from": ["a", "b"], "weights": [3, 1])");
  const graph::Chain& chain = mixed.pipeline.chain();
  const graph::IndexEntry& entry = mixed.pipeline.index()[0];
  std::set<uint64_t> draws;
  for (int copy : {0, 1, 2}) {
    draws.insert(graph::draw_for(chain, 0, entry, copy, {}).random.next());
  }
  CHECK(draws.size() == 3);
}

TEST_CASE("a weight of 0 and limits of duration leave utterances out, and that is counted") {
  const TemporaryFolder temporary;
  write_corpora(temporary.path());
  write_float_wav(temporary.path() / "a" / "long.wav", white_noise(32000));
  CHECK(Mixed(temporary.path(), R"("from": ["a", "b"], "weights": [1, 0])")
            .pipeline.selection()
            .left_out == 40);
  const Mixed limited(temporary.path(), R"("from": ["a", "b"])", R"(, "max_duration_s": 1)");
  CHECK(limited.pipeline.selection().left_out == 1);
  CHECK(limited.pipeline.selection().presentations.size() == 50);
  CHECK_THROWS_WITH(Mixed(temporary.path(), R"("from": ["a", "b"], "weights": [1, 0])",
                          R"(, "min_duration_s": 5)"),
                    ContainsSubstring("node \"mix\": no utterance is left of 51"));
  CHECK_THROWS_WITH(Mixed(temporary.path(), R"("from": ["a", "b"])",
                          R"(, "min_duration_s": 5, "max_duration_s": 4)"),
                    ContainsSubstring("key \"max_duration_s\": is less than"));
}

TEST_CASE("a mix that cannot be is refused with the key") {
  const TemporaryFolder temporary;
  write_corpora(temporary.path());
  const auto refusal = [&](const std::string& keys, const std::string& a_keys = "") {
    try {
      mix_graph(temporary.path(), keys, a_keys);
    } catch (const graph::GraphError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal(R"("from": ["a", "b"])") == "accepted");
  CHECK_THAT(refusal(R"("from": ["a", "b"], "weights": [1])"),
             ContainsSubstring("key \"weights\": must be one for each of the 2 nodes"));
  CHECK_THAT(refusal(R"("from": ["a", "b"], "weights": [1, -1])"), ContainsSubstring("weights"));
  CHECK_THAT(refusal(R"("from": ["a", "b", "a"])"), ContainsSubstring("\"a\" stands there twice"));
  CHECK_THAT(refusal(R"("from": ["a", "b"])", R"(, "hours": 1)"),
             ContainsSubstring("\"a\" has \"hours\""));
  CHECK_THAT(refusal(R"("from": ["a", "decode"])"), ContainsSubstring("mix"));
}

TEST_CASE("configs/mix.json hands on the same bits at 1, 2 and 8 threads") {
  const TemporaryFolder temporary;
  write_corpora(temporary.path());
  std::string sha256;
  for (int threads : {1, 2, 8}) {
    graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/mix.json");
    file["nodes"]["clean"] = {{"type", "folder"}, {"root", (temporary.path() / "a").string()}};
    file["nodes"]["other"]["root"] = (temporary.path() / "b").string();
    file["out"] = (temporary.path() / ("out" + std::to_string(threads))).string();
    file["threads"] = threads;
    Recorder recorder;
    const graph::Json summary =
        graph::run_graph(graph::Graph(graph::resolve(file, "mix.json")),
                         {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
    CHECK(summary.at("utterances").at("rejected") == 0);
    CHECK(summary.at("utterances").at("done") > 10);
    if (sha256.empty()) sha256 = summary.at("batches_sha256").get<std::string>();
    CHECK(summary.at("batches_sha256") == sha256);
  }
}
