#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "graph/error.h"
#include "graph/run.h"

namespace flowqat::nodes::testing {

/// Keeps what a run says.
class Recorder : public graph::Reporter {
 public:
  void say(const std::string& line) override {
    said.push_back(line);
    if (!stop_said.empty() && line.find(stop_said) != std::string::npos) stop_signal = 2;
  }
  void progress(const graph::Progress& progress) override {
    std::string status = progress.what + ": " + std::to_string(progress.done) + " of " +
                         std::to_string(progress.total) + " " + progress.unit;
    for (const std::string& more : progress.more) status += ", " + more;
    statuses.push_back(status);
    if (!stop_at.empty() && status.find(stop_at) != std::string::npos) stop_signal = 2;
  }
  void result(const std::string& text) override { results += text; }

  std::vector<std::string> said, statuses;
  std::string results;
  std::string stop_at;    ///< a status with this text is answered with SIGINT
  std::string stop_said;  ///< the same of a line that is said
  std::atomic<int> stop_signal{0};
};

/// Of the nodes' JSON.
graph::Graph make_graph(const std::string& nodes, const std::string& out = "unused",
                        int threads = 2);

/// One transform by itself: a node of type `type` with `keys`, behind a corpus that is never read.
class Single {
 public:
  Single(const std::string& type, const std::string& keys)
      : graph_(make_graph(R"({"files": {"type": "files", "paths": ["none"]}, "node": {"type": ")" +
                          type + R"(", "from": "files")" + (keys.empty() ? "" : ", " + keys) +
                          R"(}, "batch": {"type": "batch", "from": "node", "size": 1}})")),
        transform_(*graph::Chain::behind(*graph_.batchers().front()).transforms.front()) {}

  const graph::Transform& transform() const { return transform_; }

  graph::Draw draw(uint64_t key = 1, int copy = 0) const {
    return {entry_, copy, graph::RandomStream(key)};
  }

  std::vector<float> apply(const std::vector<float>& in, int rate_hz, graph::Row& row,
                           uint64_t key = 1, int copy = 0) const {
    const graph::Shape shape{static_cast<int64_t>(in.size()), rate_hz};
    const graph::Shape to = transform_.predict(shape, draw(key, copy));
    std::vector<float> out(transform_.passes_samples() ? 0 : static_cast<size_t>(to.samples));
    transform_.apply(shape, in, out, draw(key, copy), row);
    return out;
  }
  std::vector<float> apply(const std::vector<float>& in, int rate_hz = 16000, uint64_t key = 1,
                           int copy = 0) const {
    graph::Row row;
    return apply(in, rate_hz, row, key, copy);
  }

 private:
  graph::Graph graph_;
  const graph::Transform& transform_;
  graph::IndexEntry entry_;
};

}  // namespace flowqat::nodes::testing
