/// Every node of a stream by itself, on more and more threads: how fast it is when nothing else
/// runs, and how far it scales.
#pragma once
#include <string>
#include <vector>

#include "graph/profile.h"

namespace flowqat::graph {

struct IsolatedNode {
  std::string node;
  int threads = 0;
  double x_realtime = 0;  ///< seconds of the node's input a second, by all threads together
  double utterances_per_s = 0;
  double scaling = 0;  ///< against one thread
};

/// Takes utterances out of epoch 0 (at most 64, 256 MB between nodes, and as many as pass a node in
/// a second), and runs each node over them on 1, 2, 4 ... threads up to the pipeline's count.
/// `seconds` is for all of this together: each measurement has its part of it, from 0.05 to 0.5 s,
/// and ends with an utterance. Throws RunError when every one of them is rejected.
std::vector<IsolatedNode> isolate(Pipeline& pipeline, double seconds,
                                  const ProfileOptions& options);

}  // namespace flowqat::graph
