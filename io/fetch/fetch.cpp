#include "io/fetch/fetch.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr std::chrono::seconds kRateWindow{10};
constexpr std::chrono::milliseconds kSampleInterval{200};

}  // namespace

std::string bytes_text(int64_t bytes) {
  char text[40];
  const auto value = static_cast<double>(bytes);
  if (bytes < 10'000) {
    std::snprintf(text, sizeof text, "%lld bytes", static_cast<long long>(bytes));
  } else if (bytes < 1'000'000) {
    std::snprintf(text, sizeof text, "%.1f kB", value / 1e3);
  } else if (bytes < 1'000'000'000) {
    std::snprintf(text, sizeof text, "%.1f MB", value / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.1f GB", value / 1e9);
  }
  return text;
}

std::string fetching_text(int64_t bytes, int64_t kept_bytes) {
  return "fetching " + bytes_text(bytes) +
         (kept_bytes > 0 ? " (" + bytes_text(kept_bytes) + " are there from before)" : "");
}

void check_free_space(const std::filesystem::path& folder, int64_t needed_bytes,
                      const std::string& why) {
  std::filesystem::path there = std::filesystem::absolute(folder);
  while (!std::filesystem::exists(there) && there.has_relative_path()) there = there.parent_path();
  std::error_code code;
  const std::filesystem::space_info space = std::filesystem::space(there, code);
  if (code || std::cmp_greater_equal(space.available, needed_bytes)) return;
  throw Error(folder, "needs " + bytes_text(needed_bytes) + " of free space (" + why + "), has " +
                          bytes_text(static_cast<int64_t>(space.available)) +
                          "; free some, or choose a folder on another disk");
}

FetchMonitor::FetchMonitor(const FetchOptions& options, std::string what, int64_t total_bytes,
                           int64_t done_bytes)
    : options_(options),
      what_(std::move(what)),
      total_bytes_(total_bytes),
      done_bytes_(done_bytes),
      samples_{{Clock::now(), 0}} {}

void FetchMonitor::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (options_.say) options_.say(line);
}

void FetchMonitor::came(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ += bytes;
  came_bytes_ += bytes;
  const auto now = Clock::now();
  if (now - samples_.back().first >= kSampleInterval) {
    samples_.emplace_back(now, came_bytes_);
    while (samples_.size() > 2 && now - samples_.front().first > kRateWindow) samples_.pop_front();
  }
  if (options_.progress) options_.progress(progress(now));
}

void FetchMonitor::lost(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_bytes_ -= bytes;
}

void FetchMonitor::check() const {
  if (stopped()) throw Stopped();
}

void FetchMonitor::sleep(double duration_s) const {
  const auto end = Clock::now() + std::chrono::duration<double>(duration_s);
  while (Clock::now() < end) {
    check();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

FetchProgress FetchMonitor::progress(Clock::time_point now) const {
  const auto& [since, before] = samples_.front();
  const double seconds = std::chrono::duration<double>(now - since).count();
  FetchProgress progress{.what = what_, .done_bytes = done_bytes_, .total_bytes = total_bytes_};
  if (seconds > 0) progress.bytes_per_s = static_cast<double>(came_bytes_ - before) / seconds;
  if (progress.bytes_per_s > 0) {
    progress.left_s = static_cast<double>(total_bytes_ - done_bytes_) / progress.bytes_per_s;
  }
  return progress;
}

}  // namespace flowqat::io
