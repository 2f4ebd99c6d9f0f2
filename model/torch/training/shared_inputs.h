#pragma once
#include <memory>
#include <vector>

#include "model/torch/network/wav2vec2.h"
#include "model/torch/quantization/quantizable_layer.h"

namespace flowqat::model {

/// While it lives, layers that hear the same input and have come to the same grid for it round it
/// by one quantizer, the first's, and so once; what each would learn of it is the same. Afterwards
/// each has its own again, as that one is by then. The network outlives it.
class SharedInputs {
 public:
  /// Waits for the device.
  explicit SharedInputs(const Wav2Vec2ForCtc& network);
  ~SharedInputs();
  SharedInputs(const SharedInputs&) = delete;
  SharedInputs& operator=(const SharedInputs&) = delete;

 private:
  struct Parked {
    QuantizableLayer* layer;
    std::shared_ptr<FakeQuantizer> own;
  };
  std::vector<Parked> parked_;
};

}  // namespace flowqat::model
