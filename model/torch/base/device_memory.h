#pragma once
#include <c10/core/Device.h>

namespace flowqat::model {

/// Gives what LibTorch keeps of a device's memory for later back to it. Waits for the device.
void empty_cache(const c10::Device& device);

}  // namespace flowqat::model
