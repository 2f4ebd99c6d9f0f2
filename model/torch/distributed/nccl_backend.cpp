#include "model/torch/distributed/nccl_backend.h"

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "model/error.h"

namespace flowqat::model {
namespace {

NcclLibrary::Type type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kChar:
      return NcclLibrary::int8;
    case at::kByte:
    case at::kBool:
      return NcclLibrary::uint8;
    case at::kInt:
      return NcclLibrary::int32;
    case at::kLong:
      return NcclLibrary::int64;
    case at::kHalf:
      return NcclLibrary::float16;
    case at::kFloat:
      return NcclLibrary::float32;
    case at::kDouble:
      return NcclLibrary::float64;
    case at::kBFloat16:
      return NcclLibrary::bfloat16;
    default:
      TORCH_CHECK(false, "NCCL has no numbers of type ", tensor.scalar_type());
  }
}

NcclLibrary::Operation operation_of(const c10d::ReduceOp& operation) {
  switch (operation.op_) {
    case c10d::ReduceOp::SUM:
      return NcclLibrary::sum;
    case c10d::ReduceOp::MAX:
      return NcclLibrary::largest;
    case c10d::ReduceOp::MIN:
      return NcclLibrary::smallest;
    default:
      TORCH_CHECK(false, "of NCCL's reductions, sums, smallest and largest are used");
  }
}

c10::Stream stream_of_pool(const at::Device& device) {
  return c10::impl::VirtualGuardImpl(device.type())
      .getStreamFromGlobalPool(device, /*isHighPriority=*/true);
}

/// ncclCommInitRank() comes back when all ranks have called it, and there is nothing to abort
/// before: a thread waits for it, and is left behind where it does not.
NcclLibrary::Communicator connect(const NcclLibrary& nccl, const Rank& rank,
                                  const at::Device& device, const NcclLibrary::Id& id) {
  struct Connecting {
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    int result = 0;
    NcclLibrary::Communicator communicator = nullptr;
  };
  const auto connecting = std::make_shared<Connecting>();
  std::thread([connecting, &nccl, rank, device, id] {
    NcclLibrary::Communicator communicator = nullptr;
    const c10::DeviceGuard on(device);
    const int result = nccl.comm_init_rank(&communicator, rank.size, id, rank.rank);
    const std::lock_guard lock(connecting->mutex);
    connecting->result = result;
    connecting->communicator = communicator;
    connecting->ended = true;
    connecting->changed.notify_all();
  }).detach();
  std::unique_lock lock(connecting->mutex);
  const bool ended = connecting->changed.wait_for(
      lock, std::chrono::duration<double>(rank.timeout_s), [&] { return connecting->ended; });
  TORCH_CHECK_WITH(DistBackendError, ended, "NCCL: the processes did not connect within ",
                   rank.timeout_s, " s");
  const int result = connecting->result;
  if (result == NcclLibrary::invalid_argument || result == NcclLibrary::invalid_usage) {
    throw Error("NCCL does not connect rank " + std::to_string(rank.rank) + " on " + device.str() +
                " with the others (" + nccl.get_error_string(result) +
                "): each process needs a GPU of its own, so choose \"device\": \"cuda\" without a "
                "number; with NCCL_DEBUG=WARN in the environment NCCL says more");
  }
  TORCH_CHECK_WITH(DistBackendError, result == NcclLibrary::success,
                   "NCCL: connecting: ", nccl.get_error_string(result));
  return connecting->communicator;
}

}  // namespace

NcclBackend::NcclBackend(const Rank& rank, const at::Device& device, const NcclLibrary::Id& id,
                         std::function<bool()> someone_is_gone)
    : Backend(rank.rank, rank.size),
      nccl_(NcclLibrary::instance()),
      device_(device),
      stream_(stream_of_pool(device)),
      communicator_(connect(nccl_, rank, device, id)),
      watch_(std::make_unique<NcclWatch>(nccl_, communicator_, device, rank.timeout_s,
                                         std::move(someone_is_gone))) {}

c10::intrusive_ptr<c10d::Work> NcclBackend::enqueue(const char* doing,
                                                    const std::vector<at::Tensor>& tensors,
                                                    const Launch& launch) {
  const c10::impl::VirtualGuardImpl guard(device_.type());
  const c10::DeviceGuard on_device(device_);
  c10::Event ready(device_.type());
  ready.record(guard.getStream(device_));
  ready.block(stream_);
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.device() == device_ && tensor.is_contiguous(),
                "NCCL exchanges contiguous tensors of ", device_, ", found one of ",
                tensor.device());
    // Its memory may be given back to the current stream before this one has come to it.
    guard.recordDataPtrOnStream(tensor.storage().data_ptr(), stream_);
    auto* const stream = static_cast<NcclLibrary::Stream>(stream_.native_handle());
    watch_->launch(
        doing, [&] { return launch(tensor, stream); },
        [&] {
          c10::Event end(device_.type());
          end.record(stream_);
          return end;
        });
  }
  const c10::StreamGuard on_stream(stream_);  // where the future's event is recorded
  auto future = c10::make_intrusive<c10::ivalue::Future>(
      c10::ListType::create(c10::TensorType::get()), std::vector<c10::Device>{device_});
  future->markCompleted(c10::IValue(tensors));
  return c10d::Work::create_from_future(future);
}

c10::intrusive_ptr<c10d::Work> NcclBackend::allreduce(std::vector<at::Tensor>& tensors,
                                                      const c10d::AllreduceOptions& options) {
  const NcclLibrary::Operation operation = operation_of(options.reduceOp);
  return enqueue("all-reduce", tensors, [&](const at::Tensor& tensor, NcclLibrary::Stream stream) {
    void* const values = tensor.mutable_data_ptr();
    return nccl_.all_reduce(values, values, static_cast<size_t>(tensor.numel()), type_of(tensor),
                            operation, communicator_, stream);
  });
}

c10::intrusive_ptr<c10d::Work> NcclBackend::broadcast(std::vector<at::Tensor>& tensors,
                                                      const c10d::BroadcastOptions& options) {
  const int root = static_cast<int>(options.rootRank);
  return enqueue("broadcast", tensors, [&](const at::Tensor& tensor, NcclLibrary::Stream stream) {
    void* const values = tensor.mutable_data_ptr();
    return nccl_.broadcast(values, values, static_cast<size_t>(tensor.numel()), type_of(tensor),
                           root, communicator_, stream);
  });
}

}  // namespace flowqat::model
