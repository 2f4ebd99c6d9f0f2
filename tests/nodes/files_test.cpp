#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/nodes/support.h"
#include "tests/temporary_folder.h"

using namespace flowqat;

TEST_CASE("files come whole or in windows, which share what edge_frames says") {
  const flowqat::testing::TemporaryFolder folder;
  const auto paths = flowqat::testing::make_corpus(
      folder.path(), {.speakers = 1, .utterances = 2, .shortest_s = 1.0});
  const auto index_of = [&](const std::string& keys) {
    const graph::Graph graph = nodes::testing::make_graph(
        R"({"files": {"type": "files", "paths": [")" + paths[0].string() + R"(", ")" +
        paths[1].string() + "\"]" + keys +
        R"(}, "decode": {"type": "decode", "from": "files"},
            "batch": {"type": "batch", "from": "decode", "size": 1}})");
    return graph::Chain::behind(*graph.batchers().front()).source->read_index(1);
  };
  const graph::Index whole = index_of("");
  REQUIRE(whole.size() == 2);
  CHECK_FALSE(whole[1].first_sample);
  const graph::Index parted = index_of(R"(, "window_frames": 50, "edge_frames": 10)");
  REQUIRE(parted.size() == 3);  // 1.0 s, and 1.1 s in two
  CHECK(parted[1].first_sample == 0);
  CHECK(parted[2].first_sample == 30 * 320);
  CHECK(parted[2].shape.samples == whole[1].shape.samples - 30 * 320);
  CHECK_THROWS_WITH(index_of(R"(, "window_frames": 20, "edge_frames": 10)"),
                    ContainsSubstring("\"window_frames\": must be more than two"));
}
