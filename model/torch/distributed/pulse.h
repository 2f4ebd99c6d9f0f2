#pragma once
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "model/group.h"

namespace flowqat::model {

/// Tells the others through the store, twice a second, that this process lives and how far it has
/// come, and finds out who does not when something has failed. A connection says only that it broke
/// or that nothing came; whoever waits may itself be waited for.
class Pulse {
 public:
  /// `store`: a connection that nobody else uses. The first beat is there when it returns.
  Pulse(c10::intrusive_ptr<c10d::Store> store, const Rank& rank);
  /// Tells the others that this process leaves, and does not wait for a store that hangs.
  ~Pulse();
  Pulse(const Pulse&) = delete;

  /// The next of the operations in which all take part.
  void begin(const char* operation);

  struct Missing {
    std::vector<int> ranks;  ///< rising
    std::string how;  ///< "rank 2 has ended or is stopped ..."; empty where nobody is missing
  };
  /// Who is missing; takes 3 s where nobody has found out before. What one finds all others say.
  /// `is_late`: somebody was waited for as long as may be, so whoever lives but has not come is
  /// missing too. Thread-safe.
  Missing find_missing(bool is_late = true);

  /// For the process that holds the store, when it has left itself: until the others have, or those
  /// of them that nobody misses; not longer than they may take to find out who is missing.
  static void wait_for_leaving(c10d::Store& store, const Rank& rank);
  /// "rank 2 of 4", "ranks 1, 3 of 4"
  static std::string named(const std::vector<int>& ranks, int size);

 private:
  struct State;  // outlives a thread that hangs in the store

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace flowqat::model
