#include "model/torch/base/device_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

namespace flowqat::model {

void empty_cache(const c10::Device& device) {
  auto* const allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator) allocator->emptyCache();
}

}  // namespace flowqat::model
