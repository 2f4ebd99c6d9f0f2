/// What nodes still lack of the files that they name, and its fetching: after the graph has been
/// validated, before anything of it runs.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "graph/reporter.h"

namespace flowqat::graph {

class Graph;

struct FetchContext {
  Reporter& reporter;
  const std::atomic<int>& stop_signal;
};

/// How much a fetch will bring.
struct FetchSize {
  std::string text = {};  ///< "fetching 337.9 MB of ... to FOLDER, from URL"
  std::filesystem::path folder = {};
  int64_t disk_bytes = 0;  ///< free space that it needs there
};

/// One node's files; holds no reference to the node. Its errors are RunErrors that name the node
/// and the key; a signal ends it with Interrupted.
class Fetch {
 public:
  virtual ~Fetch() = default;
  /// What is lacking, as far as that can be told without asking anybody.
  virtual std::string text() const = 0;
  /// Called once, before run(); may ask the network.
  virtual FetchSize size(const FetchContext& context) = 0;
  virtual void run(const FetchContext& context) = 0;
};

/// Fetches what the graph's nodes lack: says first how much that is and where to, and sees to it
/// that there is room for all of it. Models come before corpora, and when they are there the graph
/// is built anew, so that what does not go with a model is found before hours of audio come.
void fetch_missing(Graph& graph, const FetchContext& context);

}  // namespace flowqat::graph
