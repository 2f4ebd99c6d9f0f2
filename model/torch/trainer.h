#pragma once
#include <torch/torch.h>

#include <cstdint>

#include "model/model.h"
#include "model/torch/adamw.h"

namespace flowqat::model {

class TorchModel;

/// Trains one model in place, on its device. All sums stay there until metrics().
class TorchTrainer : public Trainer {
 public:
  TorchTrainer(TorchModel& model, const TrainOptions& options);
  void step(const AudioBatch& batch, double learning_rate, uint64_t seed) override;
  TrainMetrics metrics() override;
  Tensors state() const override;
  void load_state(const Tensors& state) override;

 private:
  TorchModel& model_;
  TrainOptions options_;
  AdamW optimizer_;
  int64_t steps_ = 0;
  torch::Tensor sums_;  // float64 [3], on the device: losses, gradient norms, infinite losses
};

}  // namespace flowqat::model
