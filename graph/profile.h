/// Runs one stream of a graph by itself, with nobody but a counter to consume it, and says what
/// each node does and which one holds the rest up.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "graph/graph_file.h"
#include "graph/pipeline.h"

namespace flowqat::graph {

struct ProfileOptions {
  double seconds = 10;  ///< measured at least this long, in whole epochs
  /// Called before the first epoch, and then before each epoch that is measured.
  std::function<void(const std::string& status)> progress = [](const std::string&) {};
  std::function<void()> throw_if_stopped = [] {};  ///< called for every batch
};

struct NodeProfile {
  std::string node;
  double utterances_per_s = 0;
  double x_realtime =
      0;  ///< seconds of the node's input for each second that a thread spends in it
  double busy_share = 0;          ///< of the time of all data threads
  double p50_ms = 0, p99_ms = 0;  ///< of one utterance
  /// Seconds of the corpus's audio that wait in front of the node and behind it, on average; behind
  /// the last one stand the batches that are incomplete, queued, or held by the consumer.
  double in_flight_before_s = 0, in_flight_after_s = 0;
  int64_t rejected = 0;
};

/// One look at the stream.
struct Occupancy {
  double time_s = 0;              ///< since the measurement began
  std::vector<double> waiting_s;  ///< of audio in front of each node, and behind the last one
  std::vector<double> active;     ///< utterances that each node is working on
};

struct Profile {
  std::vector<NodeProfile> nodes;
  double wall_s = 0, cpu_s = 0;  ///< CPU seconds of the whole process
  double audio_s = 0;            ///< of the corpus, as often as it was read
  int64_t epochs = 0;
  int64_t utterances = 0, rejected = 0;  ///< in one epoch, the first
  int threads = 0;
  int64_t peak_rss_bytes = 0;
  std::string batches_sha256;  ///< of the first epoch, drawn under the batch node's own name
  std::string bottleneck;      ///< a node's name
  std::string reason;
  std::vector<Occupancy> timeline;

  double x_realtime() const { return audio_s / wall_s; }
  double cpu_s_per_1000_s() const { return 1000 * cpu_s / audio_s; }
};

/// One epoch to warm the page cache and all memory, then whole epochs until the time is over. The
/// pipeline's ledger must be fresh. Throws as Stream does, and what `throw_if_stopped` throws.
Profile profile(Pipeline& pipeline, const ProfileOptions& options);

/// The nodes of `spec` from which the batch node `stream` draws, itself included; a node of the
/// model's side that one of them needs comes with what it needs in turn. Throws GraphError when
/// there is no such batch node, naming those that there are; an empty name means the first one.
GraphSpec upstream_of(const GraphSpec& spec, const std::string& stream);

}  // namespace flowqat::graph
