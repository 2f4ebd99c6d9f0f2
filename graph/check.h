/// What can be known of a run before its first step. Every index is read and planned and every node
/// is asked; of audio only noises and responses are heard, and nothing is computed or fetched.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/known_stream.h"
#include "graph/reporter.h"

namespace flowqat::graph {

/// A stream as its index and the plan of its first epoch show it.
struct CheckedStream {
  KnownStream known = {};
  int rate_hz = 0;             ///< of its batches; 0 where no header could be read
  std::string path = {};       ///< an utterance that comes at this rate
  size_t utterances = 0;       ///< that are presented, each counted once
  size_t broken = 0;           ///< of these: known to be of no use, as IndexEntry::broken says
  size_t with_transcript = 0;  ///< of those that are not broken
  std::vector<std::string> without_transcript = {};  ///< ids of the first of the others
};

/// What a node reads beside its stream and its keys, for people, and by a checksum.
struct Use {
  std::string what, checksum;
};

/// What a node is given to check itself with.
class CheckContext {
 public:
  /// Null where nothing can be known of the stream: its corpus must be fetched first, or is wrong,
  /// which has been found by then.
  const CheckedStream* stream(const Batcher& batcher) const;
  /// The processes that are to share the run, and those of them on this machine.
  int processes() const { return processes_; }
  int local_processes() const { return local_processes_; }
  /// Threads that reading many headers may use.
  int threads() const { return threads_; }

  /// Tells a person at once of something that need not be wrong, but should not come as a surprise.
  void say(const std::string& line) { reporter_->say(line); }
  /// Where a check that takes its time stands. Throws Interrupted once a signal asked to stop.
  void progress(const Progress& progress);
  /// A line for a person, on something that was looked at and found good.
  void seen(std::string line) { seen_.push_back(std::move(line)); }
  /// A line on something that only the run can tell.
  void open(std::string line) { open_.push_back(std::move(line)); }
  /// Takes a name in the run's folder for the node, whose parameter is `key`. Throws GraphError if
  /// another node or the run itself writes there, or if it leads out of the folder.
  void claim(const Node& node, const std::string& key, const std::string& name);
  /// Tells of files in the run's folder, '*' standing for any text, whose names the node chooses.
  void leaves(std::string names) { outputs_.push_back(std::move(names)); }
  /// Tells of what the node reads beside its stream and its keys, as "the files in noise/", and
  /// what that is by a checksum: a run that is resumed goes on with the same.
  void uses(const Node& node, std::string what, std::string checksum) {
    uses_[node.name()] = {std::move(what), std::move(checksum)};
  }

 private:
  friend class Checker;
  int threads_ = 1, processes_ = 1, local_processes_ = 1;
  Reporter* reporter_ = nullptr;
  const std::atomic<int>* stop_signal_ = nullptr;
  std::map<const Batcher*, CheckedStream> streams_;
  std::map<std::string, std::string> writers_;  ///< name in the run's folder to node
  std::vector<std::string> seen_, open_, outputs_;
  std::map<std::string, Use> uses_;
};

struct Checked {
  std::map<const Batcher*, KnownStream> streams;  ///< those that could be read
  std::vector<std::string> seen, open;            ///< lines, as of CheckContext
  std::map<std::string, Use> uses;                ///< by node
  std::vector<std::string> outputs;  ///< what nodes write in the run's folder; '*' is any text
};

/// Throws one GraphError with all mistakes that were found: what does not go together, and files
/// that are missing or broken; Interrupted once `stop_signal` is not 0. `graph` outlives the
/// result.
Checked check(const Graph& graph, Reporter& reporter, const std::atomic<int>& stop_signal,
              int processes = 1, int local_processes = 1);

}  // namespace flowqat::graph
