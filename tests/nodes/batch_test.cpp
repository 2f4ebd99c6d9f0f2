#include <algorithm>
#include <numeric>
#include <set>

#include "tests/catch.h"
#include "tests/nodes/support.h"

using namespace flowqat;
using nodes::testing::make_graph;

namespace {

struct Node {
  explicit Node(const std::string& keys)
      : graph(make_graph(
            R"({"files": {"type": "files", "paths": ["none"]}, "batch": {"type": "batch", "from": "files", )" +
            keys + "}}")),
        batcher(*graph.batchers().front()) {}
  std::vector<std::vector<uint32_t>> group(const std::vector<graph::Shape>& shapes,
                                           uint64_t key = 1,
                                           graph::WindowShapes window = {}) const {
    window.shapes = shapes;
    return batcher.group(window, graph::RandomStream(key));
  }

  graph::Graph graph;
  const graph::Batcher& batcher;
};

std::vector<graph::Shape> shapes(size_t count) {
  std::vector<graph::Shape> all;
  graph::RandomStream random(5);
  for (size_t i = 0; i < count; ++i)
    all.push_back({static_cast<int64_t>(8000 + random.below(48000)), 16000});
  return all;
}

std::vector<uint32_t> flat(const std::vector<std::vector<uint32_t>>& groups) {
  std::vector<uint32_t> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace

TEST_CASE("every utterance stands in exactly one batch, whatever the order") {
  for (const std::string order : {"shuffled", "length", "corpus"}) {
    const Node node(R"("size": 4, "max_padded_s": 10, "order": ")" + order + "\"");
    std::vector<uint32_t> all = flat(node.group(shapes(103)));
    if (order == "corpus") CHECK(std::is_sorted(all.begin(), all.end()));
    if (order != "corpus") CHECK_FALSE(std::is_sorted(all.begin(), all.end()));
    std::sort(all.begin(), all.end());
    std::vector<uint32_t> expected(103);
    std::iota(expected.begin(), expected.end(), 0u);
    CHECK(all == expected);
  }
}

TEST_CASE("batches of a size are full but for the last, which can be dropped") {
  const auto sizes = [](const std::string& keys) {
    std::vector<size_t> all;
    for (const auto& group : Node(keys).group(shapes(10))) all.push_back(group.size());
    return all;
  };
  CHECK(sizes(R"("size": 4)") == std::vector<size_t>{4, 4, 2});
  CHECK(sizes(R"("size": 4, "drop_last": true)") == std::vector<size_t>{4, 4});
}

TEST_CASE("a budget of padded seconds is never exceeded but by a single long utterance") {
  const Node node(R"("max_padded_s": 16, "order": "length", "pad_to_samples": 1600)");
  std::vector<graph::Shape> all = shapes(200);
  all.push_back({20 * 16000, 16000});
  for (const auto& group : node.group(all)) {
    int64_t longest = 0;
    for (uint32_t i : group) longest = std::max(longest, all[i].samples);
    const int64_t padded = node.batcher.padded_samples(longest);
    CHECK(padded % 1600 == 0);
    CHECK(padded >= longest);
    CHECK((group.size() == 1 || padded * static_cast<int64_t>(group.size()) <= 16 * 16000));
  }
}

TEST_CASE("order by length keeps padding small and changes from epoch to epoch") {
  const Node node(R"("max_padded_s": 16, "order": "length")");
  const std::vector<graph::Shape> all = shapes(500);
  const auto first = node.group(all), second = node.group(all, 2);
  CHECK(flat(first) != flat(second));
  double padded = 0, speech = 0;
  for (const auto& group : first) {
    int64_t longest = 0;
    for (uint32_t i : group)
      longest = std::max(longest, all[i].samples), speech += static_cast<double>(all[i].samples);
    padded += static_cast<double>(longest) * static_cast<double>(group.size());
  }
  CHECK(padded / speech < 1.08);
  // Lengths do not rise over the epoch: the batches are shuffled.
  CHECK_FALSE(std::is_sorted(first.begin(), first.end(), [&](const auto& a, const auto& b) {
    return all[a.front()].samples < all[b.front()].samples;
  }));
}

TEST_CASE("shortest first is the order of the first epoch alone") {
  const std::vector<graph::Shape> all = shapes(50);
  for (const std::string order : {"shuffled", "length", "corpus"}) {
    const Node node(R"("size": 4, "shortest_first": true, "order": ")" + order + "\"");
    const auto rises = [&](int64_t epoch) {
      const auto positions = flat(node.group(all, 1, {.epoch = epoch}));
      CHECK(positions.size() == 50);
      return std::is_sorted(positions.begin(), positions.end(), [&](uint32_t a, uint32_t b) {
        return all[a].samples < all[b].samples;
      });
    };
    CHECK(rises(0));
    CHECK_FALSE(rises(1));
  }
}

TEST_CASE("with a shuffle window utterances come near their neighbours") {
  for (const std::string order : {"shuffled", "length", "corpus"}) {
    const Node node(R"("size": 4, "order": ")" + order + "\"");
    const auto positions = flat(node.group(shapes(200), 3, {.shuffle_window = 10}));
    std::vector<uint32_t> sorted = positions;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::unique(sorted.begin(), sorted.end()) - sorted.begin() == 200);
    for (size_t i = 0; i < positions.size(); ++i) {
      CHECK((order == "corpus" || positions[i] / 10 == i / 10));
    }
    CHECK(std::is_sorted(positions.begin(), positions.end()) == (order == "corpus"));
  }
}

TEST_CASE("a batch node needs a size or a budget") {
  CHECK_THROWS_WITH(Node(R"("queue": 3)"),
                    ContainsSubstring("\"size\"") && ContainsSubstring("\"max_padded_s\""));
}
