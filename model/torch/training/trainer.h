#pragma once
#include <torch/torch.h>

#include <cstdint>
#include <memory>

#include "model/model.h"
#include "model/torch/training/adamw.h"

namespace flowqat::model {

class TorchModel;

/// Trains one model in place, on its device. All sums stay there until metrics().
class TorchTrainer : public Trainer {
 public:
  /// `teacher` is null where there is no distillation. Throws Error for one that cannot teach this
  /// model.
  TorchTrainer(TorchModel& model, const TrainOptions& options,
               std::shared_ptr<const TorchModel> teacher);
  void step(const AudioBatch& batch, double learning_rate, uint64_t seed) override;
  TrainMetrics metrics() override;
  Tensors state() const override;
  void load_state(const Tensors& state) override;

 private:
  void check_teacher() const;
  /// The teacher's logits for the same samples, as it infers: without masks and dropout.
  torch::Tensor wanted_logits(const AudioBatch& batch, const std::vector<int64_t>& frames) const;

  TorchModel& model_;
  std::shared_ptr<const TorchModel> teacher_;
  TrainOptions options_;
  AdamW optimizer_;
  int64_t steps_ = 0;
  torch::Tensor sums_;  // float64 [3], on the device: losses, gradient norms, infinite losses
};

}  // namespace flowqat::model
