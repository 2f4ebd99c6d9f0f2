#pragma once
#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <c10/util/intrusive_ptr.h>

#include <functional>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <vector>

#include "model/group.h"
#include "model/torch/distributed/nccl_library.h"
#include "model/torch/distributed/nccl_watch.h"

namespace flowqat::model {

/// The collectives of c10d that a training needs, over NCCL, for the tensors of one device. Each is
/// put on a stream of its own behind what the current stream has been given. The host waits for
/// none: who waits for a work or its future lets the current stream wait. In every process the same
/// ones in the same order. c10d's own class of this kind needs CUDA's headers.
class NcclBackend : public c10d::Backend {
 public:
  /// All call it at once, with rank 0's id. `someone_is_gone`: as NcclWatch says. Throws
  /// c10::DistBackendError where NCCL does not come to be within Rank::timeout_s.
  NcclBackend(const Rank& rank, const at::Device& device, const NcclLibrary::Id& id,
              std::function<bool()> someone_is_gone);

  const std::string getBackendName() const override { return "flowqat_nccl"; }
  /// In place; each of them contiguous. Sums, smallest, largest.
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override;
  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override;
  /// Throws c10::DistBackendError where a collective has failed since: a wait for the device then
  /// ends, and what it holds is worth nothing.
  void check() const { watch_->check(); }
  /// Ends what waits for peers on the device; nothing works any more.
  void give_up(const std::string& why) { watch_->abort(why); }
  /// Gives NCCL's memory back, when the others are done too or gone; nothing works any more.
  void stop() { watch_->stop(); }

 private:
  using Launch = std::function<int(const at::Tensor&, NcclLibrary::Stream)>;
  c10::intrusive_ptr<c10d::Work> enqueue(const char* doing, const std::vector<at::Tensor>& tensors,
                                         const Launch& launch);

  const NcclLibrary& nccl_;
  const at::Device device_;
  const c10::Stream stream_;
  NcclLibrary::Communicator communicator_ = nullptr;
  std::unique_ptr<NcclWatch> watch_;
};

}  // namespace flowqat::model
