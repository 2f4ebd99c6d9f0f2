#pragma once
#include <chrono>

namespace flowqat::graph {

/// How long a piece of work will still take, by how long its beginning took.
class TimeLeft {
 public:
  using Clock = std::chrono::steady_clock;

  double gone_s() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// Once `share` (from 0 to 1) is done. Negative, not known, in the first second: what is done
  /// once at the beginning would be multiplied.
  double left_s(double share) const {
    const double gone_s = this->gone_s();
    if (share <= 0 || (gone_s < 1 && share < 1)) return -1;
    return share < 1 ? gone_s / share * (1 - share) : 0;
  }

 private:
  Clock::time_point start_ = Clock::now();
};

}  // namespace flowqat::graph
