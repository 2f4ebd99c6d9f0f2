/// How the processes of a run keep together: all learn of signals at the same moment, what only one
/// is to do is done by rank 0 while the others wait, and where one fails all end.
#pragma once
#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "graph/peers.h"
#include "graph/plan.h"

namespace flowqat::graph {

/// One for a run, for one thread. With one process alone nothing here costs anything.
class Together {
 public:
  /// `peers` null: one process alone. `stop_signal`: of this process. Both outlive it.
  Together(Peers* peers, const std::atomic<int>& stop_signal);

  Peers* peers() const { return peers_; }
  int rank() const { return share().rank; }
  int size() const { return share().size; }
  int local_size() const { return peers_ == nullptr ? 1 : peers_->local_size(); }
  bool is_alone() const { return size() == 1; }
  bool is_first() const { return rank() == 0; }
  /// Of what is divided among all.
  Share share() const { return share_; }
  /// The signal that asked the run to stop, or 0: where there are several processes, any of theirs,
  /// and not before all know of it.
  const std::atomic<int>& stop_signal() const { return is_alone() ? own_signal_ : agreed_signal_; }

  /// All come here: `sums` become those over all, and a signal that one of them got is known to all
  /// behind it.
  void agree(std::span<double> sums = {});
  /// All come here, and each does its work by itself, however long that takes, as long as no
  /// process dies or is stopped. What fails in one fails in all: the others throw what it threw if
  /// that is Interrupted, else a RunError that tells of it.
  void each(const std::function<void()>& work);
  /// The same with work for rank 0 alone.
  void first(const std::function<void()>& work);
  std::vector<std::string> gather(const std::string& own);
  /// Rank 0's.
  std::string broadcast(const std::string& of_first);

 private:
  void wait_for_all(const std::function<void()>& work);

  Peers* const peers_;
  const Share share_;
  const std::atomic<int>& own_signal_;
  std::atomic<int> agreed_signal_{0};
};

}  // namespace flowqat::graph
