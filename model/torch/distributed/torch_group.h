#pragma once
#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model/group.h"
#include "model/torch/base/tensor.h"

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace flowqat::model {

class NcclBackend;
class Pulse;

/// A group of several processes on c10d's store and Gloo, and NCCL where they have GPUs.
class TorchGroup : public Group {
 public:
  /// Meets the others under names of its own in the store, as Engine::join() says.
  TorchGroup(const Rank& rank, const std::string& names);
  ~TorchGroup() override;

  const Rank& rank() const override { return rank_; }
  void sum(std::span<double> values) override;
  void largest(std::span<double> values) override;
  std::vector<std::string> gather(const std::string& own) override;
  std::string broadcast(const std::string& of_first) override;
  void barrier() override;
  bool is_told(const std::string& failure) override;

  /// Lets all_reduce(), from() and processes() take tensors of this device too, which they exchange
  /// by NCCL; all call it together. Error, in all, where one cannot, or already uses another
  /// device.
  void use_device(const at::Device& device);

  enum class Reduction { sum, smallest, largest };
  /// In place; contiguous, on the CPU or the device in use. Does not wait for the device.
  void all_reduce(at::Tensor values, Reduction reduction);

  /// The values of `owner`, in place; contiguous, on the CPU or the device in use, for which it
  /// does not wait.
  void from(int owner, const char* doing, at::Tensor values);

  /// For collectives of others (c10d::Reducer), within exchange() alone.
  const c10::intrusive_ptr<c10d::ProcessGroup>& processes() const { return processes_; }
  /// Runs what speaks with all others; a failure to reach them leaves as PeerError, others as they
  /// are. `doing` is static.
  void exchange(const char* doing, const std::function<void()>& call);
  /// Runs what waits for the device, which is no exchange; PeerError where what it waited for has
  /// failed. A collective on the device fails long after it was asked for.
  void wait_for_device(const char* doing, const std::function<void()>& wait) const;

 private:
  /// Where the processes do not reach one another, PeerError; else returns.
  void tell_missing(const char* doing, const std::exception& error) const;

  Rank rank_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Pulse> pulse_;
  c10::intrusive_ptr<c10d::ProcessGroup> processes_;
  c10::intrusive_ptr<NcclBackend> nccl_;  ///< null where all is on the CPU
  std::optional<at::Device> device_;
};

/// Engine::join().
std::shared_ptr<Group> join_group(const Rank& rank, int64_t joins_before);

}  // namespace flowqat::model
