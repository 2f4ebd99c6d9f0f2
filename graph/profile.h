/// Runs one stream of a graph by itself, with nobody but a counter to consume it, and says what
/// each node does and which one holds the rest up.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "graph/graph_file.h"
#include "graph/occupancy.h"
#include "graph/reporter.h"

namespace flowqat::graph {

struct ProfileOptions {
  double seconds = 10;   ///< measured so long
  double warm_up_s = 2;  ///< at the most, before that
  Share share = {};      ///< what of each epoch this process draws
  /// Called several times a second, whatever the stream does.
  std::function<void(const Progress&)> progress = [](const Progress&) {};
  std::function<void()> throw_if_stopped = [] {};  ///< called as often
};

struct NodeProfile {
  std::string node;
  double utterances_per_s = 0;
  double x_realtime =
      0;  ///< seconds of the node's input for each second that a thread spends in it
  double busy_share = 0;          ///< of the time of all data threads: at most 1 over all nodes
  double p50_ms = 0, p99_ms = 0;  ///< of one utterance
  /// Seconds of the corpus's audio that wait in front of the node and behind it, on average; behind
  /// the last one stand the batches that are incomplete, queued, or held by the consumer.
  double in_flight_before_s = 0, in_flight_after_s = 0;
  int64_t rejected = 0;
};

struct Profile {
  std::vector<NodeProfile> nodes;
  double wall_s = 0, cpu_s = 0;  ///< measured; CPU seconds of the whole process
  double audio_s = 0;            ///< of the corpus, that came out meanwhile
  int64_t utterances = 0;        ///< in an epoch
  int64_t measured = 0;          ///< utterances that came out meanwhile
  int64_t rejected = 0;          ///< or were rejected
  int threads = 0;
  int64_t peak_rss_bytes = 0;
  /// Of the first epoch, drawn under the batch node's own name; empty where it was not drawn whole.
  std::string batches_sha256;
  std::string bottleneck;  ///< a node's name
  std::string reason;
  /// Why a part of an epoch is no sample of it; empty where it is one, or where all was measured.
  std::string sample;
  std::vector<double> slices_x_realtime;  ///< the figure in parts of the time that are as long
  std::vector<Occupancy> timeline;

  double x_realtime() const { return audio_s / wall_s; }
  double lowest_x_realtime() const;
  double highest_x_realtime() const;
  double cpu_s_per_1000_s() const { return 1000 * cpu_s / audio_s; }
  double epochs() const {
    return static_cast<double>(measured + rejected) / static_cast<double>(utterances);
  }
};

/// Warms the page cache and all memory for an epoch or `warm_up_s`, whichever is shorter, then
/// measures what comes out of the running stream for `seconds` (and until something has come out),
/// wherever in an epoch that ends; a short corpus is read again and again. Does not begin with an
/// epoch that is in the order of lengths. The pipeline's ledger must be fresh. Throws as Stream
/// does, and what `throw_if_stopped` throws; RunError when everything was rejected.
Profile profile(Pipeline& pipeline, const ProfileOptions& options);

/// The nodes of `spec` from which the batch node `stream` draws, itself included; a node of the
/// model's side that one of them needs comes with what it needs in turn. Throws GraphError when
/// there is no such batch node, naming those that there are; an empty name means the first one.
GraphSpec upstream_of(const GraphSpec& spec, const std::string& stream);

}  // namespace flowqat::graph
