#include "model/torch/distributed/nccl_watch.h"

#include <c10/core/DeviceGuard.h>
#include <c10/util/Exception.h>

#include <utility>

namespace flowqat::model {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 100ms;
/// How long something may take before it is asked whether all peers are there.
constexpr auto kLong = 2s, kAgain = 4s;
constexpr auto kLast = 5s;

}  // namespace

NcclWatch::NcclWatch(const NcclLibrary& nccl, NcclLibrary::Communicator communicator,
                     const at::Device& device, double timeout_s,
                     std::function<bool()> someone_is_gone)
    : nccl_(nccl),
      communicator_(communicator),
      device_(device),
      timeout_(timeout_s),
      someone_is_gone_(std::move(someone_is_gone)),
      thread_([this] { run(); }) {}

void NcclWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void NcclWatch::abort(const std::string& why) {
  std::unique_lock lock(mutex_);
  if (failure_.empty()) abort(lock, why);
}

void NcclWatch::throw_failure() const { C10_THROW_ERROR(DistBackendError, failure_); }

void NcclWatch::check() const {
  const std::lock_guard lock(mutex_);
  if (!failure_.empty()) throw_failure();
}

void NcclWatch::launch(const char* doing, const std::function<int()>& launch,
                       const std::function<c10::Event()>& end) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) throw_failure();
    launching_ = doing;
    if (pending_.empty()) since_ = Clock::now();
  }
  changed_.notify_all();
  // The first of its kind connects to the peers, and may hang here.
  const int result = launch();
  std::unique_lock lock(mutex_);
  launching_ = nullptr;
  if (!failure_.empty()) throw_failure();
  if (result != NcclLibrary::success && result != NcclLibrary::in_progress) {
    abort(lock, std::string("NCCL: ") + doing + ": " + nccl_.get_error_string(result));
    throw_failure();
  }
  pending_.push_back({doing, end()});
}

std::string NcclWatch::problem(std::unique_lock<std::mutex>& lock) {
  while (!pending_.empty() && pending_.front().end.query()) {
    pending_.pop_front();
    since_ = Clock::now();
  }
  if (pending_.empty() && !launching_) return "";
  const std::string doing =
      std::string("NCCL: ") + (pending_.empty() ? launching_ : pending_.front().doing);
  int result = NcclLibrary::success;
  if (nccl_.comm_get_async_error(communicator_, &result) == NcclLibrary::success &&
      result != NcclLibrary::success && result != NcclLibrary::in_progress) {
    return doing + ": " + nccl_.get_error_string(result);
  }
  const auto now = Clock::now();
  const std::chrono::duration<double> takes = now - since_;
  if (takes > timeout_) {
    return doing + " did not end within " + std::to_string(static_cast<int>(timeout_.count())) +
           " s";
  }
  if (takes < kLong || now - asked_ < kAgain) return "";
  asked_ = now;
  lock.unlock();
  const bool is_gone = someone_is_gone_();
  lock.lock();
  return is_gone ? doing + " waits for a process that is gone" : "";
}

void NcclWatch::abort(std::unique_lock<std::mutex>& lock, const std::string& why) {
  failure_ = why;
  pending_.clear();
  lock.unlock();
  nccl_.comm_abort(communicator_);
  lock.lock();
}

void NcclWatch::watch(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] {
    return failure_.empty() && (launching_ != nullptr || !pending_.empty());
  };
  while (!stop_) {
    if (has_work()) {
      changed_.wait_for(lock, kPause, [this] { return stop_; });
    } else {
      changed_.wait(lock, [&] { return stop_ || has_work(); });
    }
    if (stop_ || !has_work()) continue;
    if (const std::string why = problem(lock); !why.empty() && failure_.empty()) abort(lock, why);
  }
}

void NcclWatch::end(std::unique_lock<std::mutex>& lock) {
  const auto until = Clock::now() + kLast;
  while (failure_.empty() && !pending_.empty() && Clock::now() < until) {
    if (pending_.front().end.query()) {
      pending_.pop_front();
    } else {
      changed_.wait_for(lock, 5ms);
    }
  }
  if (!failure_.empty()) return;
  if (!pending_.empty()) {
    abort(lock, "NCCL: ended before all was done");
    return;
  }
  failure_ = "NCCL: the group has ended";
  nccl_.comm_destroy(communicator_);
}

void NcclWatch::run() {
  const c10::DeviceGuard on(device_);  // else CUDA begins to use the first one for this thread
  std::unique_lock lock(mutex_);
  try {
    watch(lock);
    end(lock);
  } catch (const std::exception& error) {  // the device itself has failed
    if (!lock.owns_lock()) lock.lock();
    if (failure_.empty()) abort(lock, std::string("NCCL: ") + error.what());
  }
}

}  // namespace flowqat::model
