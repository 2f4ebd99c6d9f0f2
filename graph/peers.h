#pragma once
#include <span>
#include <string>
#include <vector>

namespace flowqat::graph {

/// The processes that work on one run, as the run needs them. Every process calls the same
/// functions in the same order; each comes back when all have called it, and throws where another
/// is gone or does not come in time.
class Peers {
 public:
  virtual ~Peers() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// How many of them are on this process's machine.
  virtual int local_size() const = 0;
  /// Over all processes, into each: the same bits everywhere. All bring equally many.
  virtual void sum(std::span<double> values) = 0;
  /// What every process hands in, in the order of ranks, for each.
  virtual std::vector<std::string> gather(const std::string& own) = 0;
  /// Rank 0's, for each.
  virtual std::string broadcast(const std::string& of_first) = 0;
};

}  // namespace flowqat::graph
