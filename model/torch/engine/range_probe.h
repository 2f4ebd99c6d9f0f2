#pragma once
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/quantization/range_estimator.h"

namespace flowqat::model {

/// All values of one tensor of a layer, against its grid where there is one. Not thread-safe.
class SeenValues {
 public:
  SeenValues() = default;
  explicit SeenValues(Grid grid);

  /// x: any shape and device, [channels, ...] where the grid has a scale a channel; waits for the
  /// device.
  void add(const at::Tensor& x);
  bool empty() const { return range_.values == 0; }
  ValueRange range() const;

 private:
  void compare(const at::Tensor& x);

  RangeEstimator estimator_;
  ValueRange range_;  ///< without what the estimator knows
};

class TorchRangeProbe : public RangeProbe {
 public:
  /// Reads the grids of the layers as they are now.
  TorchRangeProbe(TorchModel& model, const std::vector<Wav2Vec2ForCtc::NamedLayer>& layers);
  void add(const AudioBatch& batch) override;
  std::vector<LayerRanges> ranges() const override;

 private:
  struct Watched {
    Wav2Vec2ForCtc::NamedLayer layer;
    SeenValues input, weight, output;
  };

  TorchModel& model_;
  std::vector<Watched> watched_;
};

}  // namespace flowqat::model
