/// PyTorch's collectives over Gloo. Of its headers only gloo.cpp includes those that need Gloo's.
#pragma once
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "model/group.h"

namespace flowqat::model {

/// Connects each process with each; all call it at once. Devices as PyTorch chooses them
/// (GLOO_SOCKET_IFNAME, else this machine's name), but loopback where all processes are on one
/// machine and the variable is not set. Every collective waits for Rank::timeout_s at most. Throws
/// what LibTorch does.
c10::intrusive_ptr<c10d::ProcessGroup> connect_with_gloo(
    const c10::intrusive_ptr<c10d::Store>& store, const Rank& rank);

}  // namespace flowqat::model
