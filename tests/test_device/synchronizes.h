#pragma once
#include <ATen/core/ivalue.h>
#include <c10/util/ArrayRef.h>

#include <string>

namespace flowqat::test_device {

/// Whether CUDA's kernel of an operator makes the host wait for the device, with these arguments:
/// what has to know a number of the device's to go on, or brings lengths of the host's to it.
bool waits_on_cuda(const std::string& name, c10::ArrayRef<c10::IValue> arguments);

}  // namespace flowqat::test_device
