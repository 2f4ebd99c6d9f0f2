/// Processes of a run as threads of a test: what they share goes through memory.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "graph/peers.h"

namespace flowqat::graph::testing {

/// Where the threads meet.
class Hub {
 public:
  explicit Hub(int size) : own_(static_cast<size_t>(size)) {}
  int size() const { return static_cast<int>(own_.size()); }

  /// Hands in, and comes back with what all handed in. Throws once the hub is broken.
  std::vector<std::string> exchange(int rank, const std::string& own) {
    std::unique_lock lock(mutex_);
    if (is_broken_) throw std::runtime_error("a peer is lost");
    own_[static_cast<size_t>(rank)] = own;
    const int round = round_;
    if (++arrived_ == size()) {
      arrived_ = 0;
      ++round_;
      all_ = own_;
      all_came_.notify_all();
      return all_;
    }
    all_came_.wait(lock, [&] { return round_ != round || is_broken_; });
    if (round_ == round) throw std::runtime_error("a peer is lost");
    return all_;
  }

  void break_up() {
    const std::lock_guard lock(mutex_);
    is_broken_ = true;
    all_came_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_came_;
  std::vector<std::string> own_, all_;
  int arrived_ = 0, round_ = 0;
  bool is_broken_ = false;
};

class ThreadPeers : public Peers {
 public:
  ThreadPeers(Hub& hub, int rank) : hub_(hub), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return hub_.size(); }
  int local_size() const override { return hub_.size(); }
  void sum(std::span<double> values) override {
    const std::string own(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    const std::vector<std::string> all = hub_.exchange(rank_, own);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = 0;
      for (const std::string& theirs : all) {
        double value = 0;
        theirs.copy(reinterpret_cast<char*>(&value), sizeof value, i * sizeof value);
        values[i] += value;
      }
    }
  }
  std::vector<std::string> gather(const std::string& own) override {
    return hub_.exchange(rank_, own);
  }
  std::string broadcast(const std::string& of_first) override { return gather(of_first).front(); }

 private:
  Hub& hub_;
  int rank_;
};

/// Runs `work` as each of `size` ranks. Returns what each threw, as text.
inline std::vector<std::string> as_ranks(int size, const std::function<void(Peers&)>& work) {
  Hub hub(size);
  std::vector<std::string> failures(static_cast<size_t>(size));
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadPeers peers(hub, rank);
      try {
        work(peers);
      } catch (const std::exception& error) {
        failures[static_cast<size_t>(rank)] = error.what();
        hub.break_up();
      }
    });
  }
  threads.clear();
  return failures;
}

}  // namespace flowqat::graph::testing
