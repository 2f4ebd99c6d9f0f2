#pragma once
#include <c10/util/intrusive_ptr.h>

#include <functional>
#include <memory>
#include <string>

#include "model/group.h"
#include "model/torch/base/tensor.h"

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace flowqat::model {

class Pulse;

/// A group of several processes on c10d's store and Gloo.
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

  enum class Reduction { sum, smallest, largest };
  /// In place; contiguous and on the CPU.
  void all_reduce(at::Tensor values, Reduction reduction);

  /// The values of `owner`, in place; contiguous and on the CPU.
  void from(int owner, const char* doing, at::Tensor values);

  /// For collectives of others (c10d::Reducer), within exchange() alone.
  const c10::intrusive_ptr<c10d::ProcessGroup>& processes() const { return processes_; }
  /// Runs what speaks with all others; a failure to reach them leaves as PeerError, others as they
  /// are. `doing` is static.
  void exchange(const char* doing, const std::function<void()>& call);

 private:
  Rank rank_;
  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Pulse> pulse_;
  c10::intrusive_ptr<c10d::ProcessGroup> processes_;
};

/// Engine::join().
std::shared_ptr<Group> join_group(const Rank& rank, int64_t joins_before);

}  // namespace flowqat::model
