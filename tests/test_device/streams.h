/// The order of what is launched on the test device's streams. All is done at once, but a GPU puts
/// two streams' work in order only where one waits for an event of the other: clocks say where it
/// would not have (Fidge 1988, Mattern 1989: vector clocks).
#pragma once
#include <c10/core/Stream.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace flowqat::test_device {

/// Thread-safe.
class Streams {
 public:
  /// What a stream did last.
  struct Use {
    c10::StreamId stream = 0;
    uint64_t time = 0;  ///< 0: nothing
  };

  static Streams& instance();
  /// The stream of this thread; the device's default one is 0.
  static c10::StreamId current();
  static c10::StreamId exchange(c10::StreamId stream);

  /// The next piece of work of the current stream.
  Use launch();
  /// Whether all that `stream` launches from here on comes behind it.
  bool is_behind(c10::StreamId stream, const Use& use) const;

  void record(const void* event, c10::StreamId stream);
  /// All that `stream` launches from here on comes behind what the event recorded.
  void block(const void* event, c10::StreamId stream);
  void forget(const void* event);
  /// The host has waited for a stream or an event, and so has all that it launches from here on.
  void host_waited_for(c10::StreamId stream);
  void host_waited_for_event(const void* event);

 private:
  using Clock = std::map<c10::StreamId, uint64_t>;
  static void join(Clock& clock, const Clock& other);

  mutable std::mutex lock_;
  std::map<c10::StreamId, Clock> seen_;  ///< by each stream, of all, itself included
  std::map<const void*, Clock> events_;
  Clock host_;
};

/// Counts that the host waits, here, for all of the current stream.
void wait_on_host(const std::string& name);

}  // namespace flowqat::test_device
