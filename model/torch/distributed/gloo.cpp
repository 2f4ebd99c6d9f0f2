#define USE_C10D_GLOO  // ProcessGroupGloo.hpp is empty without it
#include "model/torch/distributed/gloo.h"

#include <chrono>
#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace flowqat::model {

c10::intrusive_ptr<c10d::ProcessGroup> connect_with_gloo(
    const c10::intrusive_ptr<c10d::Store>& store, const Rank& rank) {
  using c10d::ProcessGroupGloo;
  const std::chrono::milliseconds timeout(static_cast<int64_t>(1000 * rank.timeout_s));
  const auto options = ProcessGroupGloo::Options::create_default(timeout);
  const char* const interfaces = std::getenv("GLOO_SOCKET_IFNAME");
  if ((interfaces == nullptr || *interfaces == '\0') && rank.local_size == rank.size) {
    // A machine's own name may resolve to nothing, or to an address that it does not have.
    options->devices = {ProcessGroupGloo::createDeviceForHostname("127.0.0.1")};
  }
  const auto gloo = c10::make_intrusive<ProcessGroupGloo>(
      c10::make_intrusive<c10d::PrefixStore>("gloo", store), rank.rank, rank.size, options);
  auto processes = c10::make_intrusive<c10d::ProcessGroup>(store, rank.rank, rank.size);
  processes->setBackend(at::kCPU, c10d::ProcessGroup::BackendType::GLOO,
                        c10::static_intrusive_pointer_cast<c10d::Backend>(gloo));
  processes->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  return processes;
}

}  // namespace flowqat::model
