#include "tests/test_device/streams.h"

#include <algorithm>
#include <utility>

#include "tests/test_device/counts.h"

namespace flowqat::test_device {
namespace {

thread_local c10::StreamId current_stream = 0;

}  // namespace

Streams& Streams::instance() {
  static auto* const streams = new Streams;  // tensors may outlive all else
  return *streams;
}

c10::StreamId Streams::current() { return current_stream; }

c10::StreamId Streams::exchange(c10::StreamId stream) {
  return std::exchange(current_stream, stream);
}

Streams::Use Streams::launch() {
  const std::lock_guard lock(lock_);
  Clock& clock = seen_[current_stream];
  join(clock, host_);
  return {current_stream, ++clock[current_stream]};
}

bool Streams::is_behind(c10::StreamId stream, const Use& use) const {
  if (use.time == 0 || use.stream == stream) return true;
  const std::lock_guard lock(lock_);
  const auto has_seen = [&](const Clock& clock) {
    const auto found = clock.find(use.stream);
    return found != clock.end() && found->second >= use.time;
  };
  const auto own = seen_.find(stream);
  return has_seen(host_) || (own != seen_.end() && has_seen(own->second));
}

void Streams::record(const void* event, c10::StreamId stream) {
  const std::lock_guard lock(lock_);
  events_[event] = seen_[stream];
}

void Streams::block(const void* event, c10::StreamId stream) {
  const std::lock_guard lock(lock_);
  if (const auto found = events_.find(event); found != events_.end()) {
    join(seen_[stream], found->second);
  }
}

void Streams::forget(const void* event) {
  const std::lock_guard lock(lock_);
  events_.erase(event);
}

void Streams::host_waited_for(c10::StreamId stream) {
  const std::lock_guard lock(lock_);
  join(host_, seen_[stream]);
}

void Streams::host_waited_for_event(const void* event) {
  const std::lock_guard lock(lock_);
  if (const auto found = events_.find(event); found != events_.end()) join(host_, found->second);
}

void Streams::join(Clock& clock, const Clock& other) {
  for (const auto& [stream, time] : other) clock[stream] = std::max(clock[stream], time);
}

void wait_on_host(const std::string& name) {
  count_synchronization(name);
  Streams::instance().host_waited_for(Streams::current());
}

}  // namespace flowqat::test_device
