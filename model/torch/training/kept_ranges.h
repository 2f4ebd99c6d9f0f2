#pragma once
#include <vector>

#include "model/model.h"
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// What the fake quantizers of a network have seen of its activations, put by while a round may
/// still be thrown away. (Weights' ranges follow weights that such a round leaves as they are.)
class KeptRanges {
 public:
  /// Copies all ranges, scales and zero points, on their device.
  void keep(const Module& network);
  /// Puts back what was kept.
  void restore();
  /// Puts back what was kept where `skip`, [] bool on the device, is true. Waits for no device.
  void restore_where(const at::Tensor& skip);

  /// Ranges and scales (float32), zero points (int32), each one behind the other; undefined before
  /// keep(), and where there are none.
  const at::Tensor& floats() const { return floats_.kept; }
  const at::Tensor& integers() const { return integers_.kept; }

 private:
  struct Kind {
    std::vector<at::Tensor> places;
    at::Tensor kept;
    void keep();
    void put(const at::Tensor& values) const;
    void restore_where(const at::Tensor& skip);
  };
  Kind floats_, integers_;
};

}  // namespace flowqat::model
