/// A loop over files on several threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace flowqat::io {

/// Calls `work(i)` for every i below `count`, in any order, on `threads` threads (0: all cores).
/// Throws what the call for the lowest i threw, at any number of threads; calls for greater ones
/// may then be left out.
template <typename Work>
void parallel_for(size_t count, int threads, const Work& work) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t failed = count;
  std::exception_ptr failure;
  const auto loop = [&] {
    for (size_t i; (i = next++) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) failed = i, failure = std::current_exception();
        next = count;  // all that is lower has been handed out, and will be finished
      }
    }
  };
  {
    const size_t cores = std::max(1u, std::thread::hardware_concurrency());
    const size_t wanted = threads > 0 ? static_cast<size_t>(threads) : cores;
    std::vector<std::jthread> workers;
    workers.reserve(std::min(wanted, count));
    try {
      while (workers.size() + 1 < std::min(wanted, count)) workers.emplace_back(loop);
    } catch (const std::system_error&) {
      // A limit of threads or of memory: those that could be started do the work.
    }
    loop();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace flowqat::io
