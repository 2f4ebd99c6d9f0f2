/// Several processes that train one model together.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "model/error.h"

namespace flowqat::model {

/// Where this process stands among those that work together, and where they meet.
struct Rank {
  int rank = 0, size = 1;              ///< among all
  int local_rank = 0, local_size = 1;  ///< among those of its machine
  std::string address = "127.0.0.1";   ///< where rank 0 listens (MASTER_ADDR)
  int port = 29500;                    ///< MASTER_PORT
  bool is_store_hosted = false;        ///< somebody else (torchrun's agent) already holds the store
  /// Counts the starts of the same processes at one store (TORCHELASTIC_RESTART_COUNT), so that
  /// none takes for new what was written before a restart.
  int attempt = 0;
  /// How long the others are waited for, at the meeting and in every function of the group.
  double timeout_s = 60;
};

/// Others of a group that are missing. The text names them by rank and says how each is missing:
/// it has never come, gives no sign of life any more, or lives but has not come to where the
/// others wait for it.
class PeerError : public Error {
 public:
  PeerError(const std::string& what, std::vector<int> missing)
      : Error(what), missing_(std::move(missing)) {}
  /// Their ranks, rising; empty where it is not known who failed (a network that broke).
  const std::vector<int>& missing() const { return missing_; }

 private:
  std::vector<int> missing_;
};

/// The processes as one. Every process calls the same functions in the same order, its trainer's
/// among them (Model::trainer), from one thread. A function comes back when all have called it.
/// Where one has ended the others learn of it at once, and of one that hangs after
/// Rank::timeout_s; within some 5 s more each throws PeerError, and no function works any more.
class Group {
 public:
  virtual ~Group() = default;
  virtual const Rank& rank() const = 0;
  /// Over all processes, into each: the same bits everywhere. All bring equally many values.
  virtual void sum(std::span<double> values) = 0;
  virtual void largest(std::span<double> values) = 0;
  /// What every process hands in, in the order of ranks, for each.
  virtual std::vector<std::string> gather(const std::string& own) = 0;
  /// Rank 0's, for each.
  virtual std::string broadcast(const std::string& of_first) = 0;
  virtual void barrier() = 0;
  /// For a run that has failed: whether rank 0 has failed too and told the same, so that this
  /// process need not tell it. No collective: rank 0 leaves its text with the store, and the others
  /// wait for it for 3 s at the most. What ranks add to a text that others have too ("ends because
  /// rank 1 failed: ", "(rank 2 heard: ...)") makes no difference. Throws nothing.
  virtual bool is_told(const std::string& failure) = 0;
};

}  // namespace flowqat::model
