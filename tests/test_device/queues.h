/// What other libraries put on the test device's streams, which takes as long as it takes: it is
/// done by a thread of the stream's, in order, and whatever is launched later on the stream, or on
/// one that waits for an event of it, comes after. What LibTorch launches is done at once by the
/// thread that asks for it: that it waits here for its stream is the device's wait, and counted as
/// none of the host's.
#pragma once
#include <c10/core/Stream.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace flowqat::test_device {

/// Thread-safe.
class Queues {
 public:
  static Queues& instance();

  void enqueue(c10::StreamId stream, std::function<void()> work);
  /// How much has been put on the stream.
  int64_t asked(c10::StreamId stream);
  /// Whether the first `count` of it are done.
  bool is_done(c10::StreamId stream, int64_t count);
  void wait(c10::StreamId stream, int64_t count);
  void wait(c10::StreamId stream) { wait(stream, asked(stream)); }

 private:
  struct Queue {
    std::deque<std::function<void()>> work;
    int64_t asked = 0, done = 0;
    std::thread thread;
  };
  void run(Queue& queue);

  std::mutex lock_;
  std::condition_variable changed_;
  std::map<c10::StreamId, Queue> queues_;
};

/// What a library of the device's gets for a stream, and the stream behind it.
inline void* handle_of(c10::StreamId stream) { return reinterpret_cast<void*>(stream + 1); }
inline c10::StreamId stream_of(const void* handle) {
  return static_cast<c10::StreamId>(reinterpret_cast<intptr_t>(handle) - 1);
}

}  // namespace flowqat::test_device
