#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace flowqat::graph {

/// Where a piece of work stands. What does not fit into a line is left out by whoever shows it, the
/// last details first.
struct Progress {
  std::string what;                    ///< "adapt", "wer: int8"
  int64_t done = 0, total = 0;         ///< of `unit`; total 0: not known
  std::string unit = {};               ///< in the plural, "steps"; "bytes" are shown as MB and GB
  std::vector<std::string> more = {};  ///< "epoch 1 of 2", "loss 3.210": the most important first
  double left_s = -1;                  ///< of time; negative: not known
  double done_share = -1;              ///< of the whole, where done / total is not it

  /// From 0 to 1; negative where it is not known.
  double share() const {
    if (done_share >= 0) return done_share < 1 ? done_share : 1;
    if (total <= 0) return -1;
    return done < total ? static_cast<double>(done) / static_cast<double>(total) : 1;
  }
};

/// Where a run speaks to a person; the command line decides what that looks like.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A line worth keeping.
  virtual void say(const std::string& line) = 0;
  /// Where things stand; each call replaces the one before.
  virtual void progress(const Progress& progress) = 0;
  /// A result, for standard output.
  virtual void result(const std::string& text) = 0;
};

}  // namespace flowqat::graph
