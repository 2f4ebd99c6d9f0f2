#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "graph/pipeline.h"
#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/nodes/support.h"
#include "tests/tar_writer.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::make_corpus;
using flowqat::testing::TarWriter;
using flowqat::testing::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// 4 shards of 20 utterances each, the same 4 recordings over and over.
fs::path write_shards(const fs::path& root) {
  const auto files = make_corpus(root / "loose", {.speakers = 1, .utterances = 4});
  fs::create_directories(root / "shards");
  for (int shard = 0; shard < 4; ++shard) {
    TarWriter writer(root / "shards" / ("train-00000" + std::to_string(shard) + ".tar"));
    for (int i = 0; i < 20; ++i) {
      const std::string key = std::to_string(100 + i);
      writer.file(key + ".flac", bytes_of(files[static_cast<size_t>(i) % 4]));
      writer.file(key + ".txt", "ONE TWO");
    }
  }
  return root / "shards";
}

graph::Graph shards_graph(const std::string& keys, const std::string& order = "shuffled") {
  return make_graph(R"({"corpus": {"type": "shards", )" + keys +
                    R"(}, "decode": {"type": "decode", "from": "corpus"},
                        "batch": {"type": "batch", "from": "decode", "size": 4, "order": ")" +
                    order + R"("}})");
}

std::string paths(const fs::path& path) { return R"("paths": [")" + path.string() + "\"]"; }

struct Planned {
  explicit Planned(const std::string& keys)
      : graph(shards_graph(keys)),
        threads(2),
        pipeline(*graph.batchers().front(), {}, threads, ledger) {}

  /// Positions in the index, in the order in which an epoch presents them.
  std::vector<uint32_t> epoch(int64_t number) const {
    std::vector<uint32_t> all;
    for (const graph::PlannedBatch& batch : pipeline.plan("x", number)) {
      for (const graph::Presentation& at : batch.rows) all.push_back(at.entry);
    }
    return all;
  }

  graph::Graph graph;
  graph::DataThreads threads;
  graph::Ledger ledger;
  graph::Pipeline pipeline;
};

}  // namespace

TEST_CASE("the index says of each utterance in which bytes of which shard it lies") {
  const TemporaryFolder temporary;
  const fs::path shards = write_shards(temporary.path());
  const graph::Graph graph = shards_graph(paths(shards / "train-{000000..000003}.tar"));
  const auto& source = *graph::Chain::behind(*graph.batchers().front()).source;
  CHECK(source.shuffle_window() == 1000);
  const graph::Index index = source.read_index(2);
  REQUIRE(index.size() == 80);
  CHECK(index[21].id == "train-000001.tar/101");
  CHECK(index[21].path == (shards / "train-000001.tar").string());
  CHECK(index[21].group == "train-000001.tar");
  CHECK(index[21].transcript == "ONE TWO");
  CHECK(index[21].shape == graph::Shape{9600, 16000});
  const auto inner =
      bytes_of(index[21].path)
          .substr(static_cast<size_t>(index[21].first_byte), static_cast<size_t>(index[21].bytes));
  CHECK(inner == bytes_of(temporary.path() / "loose/train/101/1/101-1-0001.flac"));
}

TEST_CASE("a window of N keeps every utterance within N of its place, and shards change places") {
  const TemporaryFolder temporary;
  const fs::path shards = write_shards(temporary.path());
  const Planned planned(paths(shards) + R"(, "shuffle_window": 5)");
  std::set<std::vector<uint32_t>> shard_orders, epochs;
  for (int64_t number = 0; number < 12; ++number) {
    const std::vector<uint32_t> epoch = planned.epoch(number);
    REQUIRE(epoch.size() == 80);
    CHECK(std::set(epoch.begin(), epoch.end()).size() == 80);
    std::vector<uint32_t> shard_order;
    for (size_t i = 0; i < epoch.size(); ++i) {
      if (i % 20 == 0) shard_order.push_back(epoch[i] / 20);
      CHECK(epoch[i] / 20 == shard_order.back());
      CHECK(epoch[i] % 20 / 5 == i % 20 / 5);
    }
    shard_orders.insert(shard_order);
    epochs.insert(epoch);
  }
  CHECK(shard_orders.size() > 5);
  CHECK(epochs.size() == 12);
  CHECK(planned.epoch(3) == planned.epoch(3));
}

TEST_CASE("without a window an utterance may come at any time") {
  const TemporaryFolder temporary;
  const Planned planned(paths(write_shards(temporary.path())) + R"(, "shuffle_window": 0)");
  const std::vector<uint32_t> epoch = planned.epoch(0);
  std::set<uint32_t> first_shards;
  for (size_t i = 0; i < 20; ++i) first_shards.insert(epoch[i] / 20);
  CHECK(first_shards.size() == 4);
}

TEST_CASE("configs/shards.json hands on the same bits at 1, 2 and 8 threads") {
  const TemporaryFolder temporary;
  const fs::path shards = write_shards(temporary.path());
  std::string sha256;
  for (int threads : {1, 2, 8}) {
    graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/shards.json");
    file["nodes"]["corpus"]["paths"] = {shards.string()};
    file["nodes"]["corpus"]["shuffle_window"] = 7;
    file["out"] = (temporary.path() / ("out" + std::to_string(threads))).string();
    file["threads"] = threads;
    Recorder recorder;
    const graph::Json summary =
        graph::run_graph(graph::Graph(graph::resolve(file, "shards.json")),
                         {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
    CHECK(summary.at("utterances") == graph::Json{{"done", 80}, {"rejected", 0}});
    if (sha256.empty()) sha256 = summary.at("batches_sha256").get<std::string>();
    CHECK(summary.at("batches_sha256") == sha256);
  }
}

TEST_CASE("damaged audio in a shard is rejected for its utterance alone") {
  const TemporaryFolder temporary;
  const fs::path shards = write_shards(temporary.path());
  std::string shard = bytes_of(shards / "train-000002.tar");
  const size_t next = shard.find("108.flac");
  shard.replace(next - 2000, 64, 64, 'Z');  // within the last frames of 107.flac
  fs::remove(shards / "train-000002.tar");
  std::ofstream(shards / "train-000002.tar", std::ios::binary) << shard;
  const graph::Json nodes = graph::Json::parse(
      R"({"corpus": {"type": "shards", "paths": []}, "decode": {"type": "decode", "from": "corpus"},
          "batch": {"type": "batch", "from": "decode", "size": 4}})");
  graph::Json file{{"out", (temporary.path() / "out").string()}, {"nodes", nodes}};
  file["nodes"]["corpus"]["paths"] = {shards.string()};
  Recorder recorder;
  const graph::Json summary =
      graph::run_graph(graph::Graph(graph::resolve(file, "test.json")),
                       {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
  CHECK(summary.at("utterances") == graph::Json{{"done", 79}, {"rejected", 1}});
  const graph::Json line =
      graph::Json::parse(bytes_of(temporary.path() / "out" / "rejected.jsonl"));
  CHECK(line.at("id") == "train-000002.tar/107");
  CHECK_THAT(line.at("reason").get<std::string>(), ContainsSubstring("train-000002.tar: "));
}

TEST_CASE("paths that name no shard end the run with the node and the key") {
  const TemporaryFolder temporary;
  const auto index_of = [](const std::string& keys) {
    const graph::Graph graph = shards_graph(keys);
    graph::Chain::behind(*graph.batchers().front()).source->read_index(1);
  };
  CHECK_THROWS_WITH(index_of(paths(temporary.path() / "no.tar")),
                    ContainsSubstring("node \"corpus\", key \"paths\": " +
                                      (temporary.path() / "no.tar").string()));
  CHECK_THROWS_WITH(index_of(R"("paths": [])"), ContainsSubstring("node \"corpus\"") &&
                                                    ContainsSubstring("key \"paths\": must name"));
  CHECK_THROWS_WITH(index_of(R"("paths": ["x.tar"], "shuffle_window": -1)"),
                    ContainsSubstring("shuffle_window"));
}
