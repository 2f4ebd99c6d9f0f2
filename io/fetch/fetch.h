/// What everything that fetches files over the network shares: how hard it tries, whom it tells how
/// far it is, and when it stops.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace flowqat::io {

struct FetchProgress {
  std::string what;
  int64_t done_bytes = 0, total_bytes = 0;
  double bytes_per_s = 0;  ///< over the last seconds
  double left_s = -1;      ///< negative: not known
};

struct FetchOptions {
  int jobs = 4;           ///< files at once
  int retries = 5;        ///< in a row for one file, without a new byte in between
  double silence_s = 60;  ///< a connection on which nothing comes for so long is given up
  std::function<void(const std::string&)> say = {};         ///< a line worth keeping
  std::function<void(const FetchProgress&)> progress = {};  ///< where things stand
  const std::atomic<int>* stop = nullptr;  ///< ends all of it when it is not 0; may be null
};

/// Thrown where FetchOptions::stop asked for it. What was fetched is kept, and the next call goes
/// on from there.
class Stopped {};

/// One for all files that are fetched together; any thread may call it.
class FetchMonitor {
 public:
  /// `what` is fetched, `total_bytes` long, of which `done_bytes` were there before.
  FetchMonitor(const FetchOptions& options, std::string what, int64_t total_bytes,
               int64_t done_bytes);

  const FetchOptions& options() const { return options_; }
  void say(const std::string& line);
  void came(int64_t bytes);
  /// Of the bytes that were done, so many must be fetched again.
  void lost(int64_t bytes);
  bool stopped() const { return options_.stop && *options_.stop != 0; }
  /// Throws Stopped if it is time.
  void check() const;
  void sleep(double duration_s) const;

 private:
  using Clock = std::chrono::steady_clock;
  FetchProgress progress(Clock::time_point now) const;

  const FetchOptions& options_;
  std::string what_;
  int64_t total_bytes_, done_bytes_;
  std::mutex mutex_;
  /// When how many bytes had come, of the last seconds: what the rate is taken from.
  std::deque<std::pair<Clock::time_point, int64_t>> samples_;
  int64_t came_bytes_ = 0;
};

/// "61.3 GB", "377.6 MB", "12 bytes".
std::string bytes_text(int64_t bytes);

/// "fetching 6.7 GB", and what of it an earlier try has left.
std::string fetching_text(int64_t bytes, int64_t kept_bytes);

/// Throws Error when the file system of `folder` (which need not exist yet) has less than
/// `needed_bytes` free; `why` says what they are for.
void check_free_space(const std::filesystem::path& folder, int64_t needed_bytes,
                      const std::string& why);

}  // namespace flowqat::io
