#include "tests/test_device/queues.h"

#include <utility>

namespace flowqat::test_device {

Queues& Queues::instance() {
  static auto* const queues = new Queues;  // its threads may outlive all else
  return *queues;
}

void Queues::enqueue(c10::StreamId stream, std::function<void()> work) {
  const std::lock_guard lock(lock_);
  Queue& queue = queues_[stream];
  queue.work.push_back(std::move(work));
  ++queue.asked;
  if (!queue.thread.joinable()) queue.thread = std::thread([this, &queue] { run(queue); });
  changed_.notify_all();
}

void Queues::run(Queue& queue) {
  std::unique_lock lock(lock_);
  for (;;) {
    changed_.wait(lock, [&] { return !queue.work.empty(); });
    const std::function<void()> work = std::move(queue.work.front());
    queue.work.pop_front();
    lock.unlock();
    work();
    lock.lock();
    ++queue.done;
    changed_.notify_all();
  }
}

int64_t Queues::asked(c10::StreamId stream) {
  const std::lock_guard lock(lock_);
  const auto queue = queues_.find(stream);
  return queue == queues_.end() ? 0 : queue->second.asked;
}

bool Queues::is_done(c10::StreamId stream, int64_t count) {
  const std::lock_guard lock(lock_);
  const auto queue = queues_.find(stream);
  return queue == queues_.end() || queue->second.done >= count;
}

void Queues::wait(c10::StreamId stream, int64_t count) {
  std::unique_lock lock(lock_);
  const auto queue = queues_.find(stream);
  if (queue == queues_.end()) return;
  changed_.wait(lock, [&] { return queue->second.done >= count; });
}

}  // namespace flowqat::test_device
