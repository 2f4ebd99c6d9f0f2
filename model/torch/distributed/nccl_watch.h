#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "model/torch/distributed/nccl_library.h"

namespace flowqat::model {

/// Looks after what a communicator of NCCL was asked to do, in a thread of its own, and aborts the
/// communicator where that does not end. A peer that has ended is no error to NCCL: its kernels
/// wait for good, and with them whoever waits for the device.
class NcclWatch {
 public:
  /// `someone_is_gone`: asked about every 4 s while something takes long; may take some seconds.
  NcclWatch(const NcclLibrary& nccl, NcclLibrary::Communicator communicator,
            const at::Device& device, double timeout_s, std::function<bool()> someone_is_gone);
  ~NcclWatch() { stop(); }
  NcclWatch(const NcclWatch&) = delete;

  /// Calls `launch`, which asks for what is called `doing` (static) and returns NCCL's result, and
  /// looks after it until the event that `end` returns has happened. Throws c10::DistBackendError
  /// where NCCL says no, or the communicator has been aborted.
  void launch(const char* doing, const std::function<int()>& launch,
              const std::function<c10::Event()>& end);
  /// Throws c10::DistBackendError where the communicator has been aborted: what the device then
  /// holds is worth nothing.
  void check() const;
  /// Aborts the communicator, if that has not been done.
  void abort(const std::string& why);
  /// Destroys the communicator when all that it was asked for has ended; if that is not so within
  /// 5 s, aborts it.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    const char* doing;
    c10::Event end;
  };

  void run();
  void watch(std::unique_lock<std::mutex>& lock);
  void end(std::unique_lock<std::mutex>& lock);
  /// What is wrong, or nothing.
  std::string problem(std::unique_lock<std::mutex>& lock);
  void abort(std::unique_lock<std::mutex>& lock, const std::string& why);
  void throw_failure() const;

  const NcclLibrary& nccl_;
  const NcclLibrary::Communicator communicator_;
  const at::Device device_;
  const std::chrono::duration<double> timeout_;
  const std::function<bool()> someone_is_gone_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  const char* launching_ = nullptr;
  std::deque<Pending> pending_;
  Clock::time_point since_;  ///< nothing has ended or begun to be the first
  Clock::time_point asked_;
  std::string failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace flowqat::model
