/// Where the time of an inference goes.
#pragma once
#include <chrono>
#include <map>
#include <string>

namespace flowqat::runtime {

/// Seconds by part, as the calling thread sees them. Of one thread.
struct PartClock {
  std::map<std::string, double> seconds;
};

/// Adds the time of its scope to a part, where there is a clock.
class Timed {
 public:
  Timed(PartClock* clock, const char* part) : clock_(clock), part_(part) {
    if (clock_) started_ = Clock::now();
  }
  ~Timed() {
    if (clock_) {
      clock_->seconds[part_] += std::chrono::duration<double>(Clock::now() - started_).count();
    }
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  PartClock* clock_;
  const char* part_;
  Clock::time_point started_;
};

}  // namespace flowqat::runtime
