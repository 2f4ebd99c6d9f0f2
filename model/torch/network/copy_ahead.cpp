#include "model/torch/network/copy_ahead.h"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <mutex>
#include <unordered_map>

namespace flowqat::model {
namespace {

/// One for all copies: each stream has a cache of memory of its own.
c10::Stream stream_of_copies(const at::Device& device) {
  static std::mutex lock;
  static std::unordered_map<at::Device, c10::Stream> streams;
  const std::lock_guard guard(lock);
  const auto found = streams.find(device);
  if (found != streams.end()) return found->second;
  const c10::impl::VirtualGuardImpl its(device.type());
  return streams.emplace(device, its.getStreamFromGlobalPool(device)).first->second;
}

}  // namespace

at::Tensor copy_ahead(const at::Tensor& pinned, const at::Device& device) {
  const c10::Stream current = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  const c10::Stream beside = stream_of_copies(device);
  at::Tensor copied;
  c10::Event done(device.type());
  {
    const c10::StreamGuard guard(beside);
    copied = pinned.to(device, /*non_blocking=*/true);
    done.record(beside);
  }
  done.block(current);
  copied.record_stream(current);  // it is freed there, and not before it was used
  return copied;
}

}  // namespace flowqat::model
