/// The book of what the pipelines of a run handed on: counts, the digest chain, and every rejected
/// utterance by name. Written by the consumer's thread alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/digest.h"
#include "graph/json_lines.h"
#include "graph/known_stream.h"

namespace flowqat::graph {

/// An epoch that is drawn, for the ledger.
struct LedgerStream {
  std::string consumer;
  int64_t epoch = 0;
  bool is_begun = false;    ///< whether its first batches came before
  std::string source = {};  ///< the node that its utterances come from
  int64_t utterances = 0;   ///< in the epoch
};

class Ledger {
 public:
  /// Without a file rejected utterances are only counted.
  Ledger() = default;
  /// A line for each rejected utterance goes to `rejected_jsonl`, epochs, batches and rows counted
  /// from 1.
  explicit Ledger(const std::filesystem::path& rejected_jsonl) : lines_(rejected_jsonl) {}
  /// Goes on with the file as JsonLines does; restore() does so with the rest. `state` null:
  /// afresh.
  Ledger(const std::filesystem::path& rejected_jsonl, const Json& state, bool accepts = false);

  /// A stream is opened, and closed. The batches that come between belong to no other.
  void open(const LedgerStream& stream);
  void close() { ++section_; }
  void add(const Batch& batch, const std::string& consumer, int64_t epoch);
  /// A line of the same kind for a row that was handed on and is of no use to `consumer` for
  /// `reason`; it is not counted as rejected.
  void add_useless(const Batch& batch, size_t row, const std::string& consumer, int64_t epoch,
                   const std::string& reason);
  /// Called with every row that is added and was rejected or bears a note.
  void on_rejected(std::function<void(const Row&)> listener) { on_rejected_ = std::move(listener); }
  /// The same with every row that is silence.
  void on_silent(std::function<void(const Row&)> listener) { on_silent_ = std::move(listener); }

  /// Of several processes that draw the batches of one run: from now on what is added is only
  /// noted, until entries() of all are handed to enter() of each. Every ledger then says what the
  /// one of a process alone would: all have opened and closed the same streams meanwhile, or one
  /// has alone.
  void share() { is_shared_ = true; }
  /// What was noted since the last time.
  std::string entries();
  void enter(const std::vector<std::string>& of_all);
  /// Throws RunError where more of an epoch was rejected than the options allow.
  void check_budgets(const PipelineOptions& options) const;

  /// Of the batches of the consumer's last epoch, those that were added: of its last beginning, if
  /// it began several times. Of other epochs 0.
  int64_t rejected_in(const std::string& consumer, int64_t epoch) const;

  int64_t done() const { return done_; }
  int64_t rejected() const { return rejected_; }
  std::string batches_sha256() const { return chain_.hex(); }

  /// For a checkpoint; restore() leaves the file as it is.
  Json state() const;
  void restore(const Json& state);
  /// As it was when state() told `state`, the file too. Not while shared.
  void go_back(const Json& state);
  /// Waits until the file is on the disk.
  void sync() const { lines_.sync(); }

 private:
  void note(int64_t batch, Json entry);
  void add_now(const Batch& batch, const std::string& consumer, int64_t epoch);
  void enter(const Json& entry);
  void begin(const LedgerStream& stream);
  void write(const Batch& batch, size_t row, const std::string& consumer, int64_t epoch,
             const RejectedBy& why);

  JsonLines lines_;
  DigestChain chain_;
  std::function<void(const Row&)> on_rejected_, on_silent_;
  int64_t done_ = 0, rejected_ = 0;
  struct Epoch {
    int64_t number = -1, rejected = 0, utterances = 0;
    std::string source = {}, last = {};  ///< last: the reason of the last one that was rejected
  };
  /// At hand, by consumer: one may draw another stream in the middle of an epoch of the first.
  std::map<std::string, Epoch> epochs_;
  bool is_shared_ = false;
  int64_t section_ = 0;  ///< counts what was opened and closed since the last entries()
  std::string noted_;    ///< since then, a line of JSON each
};

}  // namespace flowqat::graph
