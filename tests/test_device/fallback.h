#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

namespace flowqat::test_device {

/// Runs any operator on the CPU over the device's memory, and counts it: a launch, its bytes, and a
/// synchronization where CUDA's kernel waits. Refuses operands on several devices, but for the
/// CPU's scalars, which a kernel takes by value.
void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack);

}  // namespace flowqat::test_device
