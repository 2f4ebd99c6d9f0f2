/// Node types for the engine's own tests: a corpus of numbers and transforms that are easy to
/// check.
#pragma once
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "graph/graph.h"
#include "graph/pipeline.h"

namespace flowqat::graph::testing {

/// What the transform "probe" saw; reset by each test that uses it.
struct Probe {
  std::atomic<int> inside{0}, most_inside{0}, started{0};
  std::mutex mutex;
  std::set<std::thread::id> threads;
  int sleep_ms = 0;
  int awaited = 0;  ///< work waits until as many were inside at once, a minute at most
  void reset(int sleep, int await = 0) {
    inside = most_inside = started = 0;
    threads.clear();
    sleep_ms = sleep;
    awaited = await;
  }
};
Probe& probe();

/// Builds the graph of a JSON text whose nodes are those of this file.
Graph make_graph(const std::string& nodes);

/// A graph's only stream, ready to be opened.
struct Streams {
  explicit Streams(const std::string& nodes, int threads = 2, PipelineOptions options = {})
      : graph(make_graph(nodes)),
        data_threads(threads),
        pipeline(*graph.batchers().front(), options, data_threads, ledger) {}
  Graph graph;
  DataThreads data_threads;
  Ledger ledger;
  Pipeline pipeline;
};

}  // namespace flowqat::graph::testing
