#pragma once
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/engine/device.h"

namespace flowqat::model {

/// The device that stands in for a GPU, and the GPU where there is one.
inline const std::vector<at::Device>& devices() {
  static const std::vector<at::Device> all = [] {
    std::vector<at::Device> found = {at::Device(at::kPrivateUse1, 0)};
    const at::Device best = choose_device("auto");
    if (!best.is_cpu()) found.push_back(best);
    return found;
  }();
  return all;
}

}  // namespace flowqat::model
