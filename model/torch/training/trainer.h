#pragma once
#include <cstdint>
#include <memory>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/wav2vec2.h"
#include "model/torch/training/adamw.h"

namespace flowqat::model {

/// What training needs of a model; whoever has it trained keeps it.
class Trainable {
 public:
  virtual ~Trainable() = default;
  virtual const Config& config() const = 0;
  virtual Wav2Vec2ForCtc& network() = 0;
  virtual at::Device device() const = 0;
  /// Evaluation mode, then the network's logits, on its device. The caller chooses the guard.
  virtual at::Tensor evaluate(const NetworkInput& input) const = 0;
  /// Training mode, with whatever else the model does at its start.
  virtual void begin_training(const NetworkInput& input) = 0;
};

/// Trains one model in place, on its device. All sums stay there until metrics().
class TorchTrainer : public Trainer {
 public:
  /// `teacher` is null where there is no distillation. Throws Error for one that cannot teach this
  /// model.
  TorchTrainer(Trainable& model, const TrainOptions& options,
               std::shared_ptr<const Trainable> teacher);
  void step(const AudioBatch& batch, double learning_rate, uint64_t seed) override;
  TrainMetrics metrics() override;
  Tensors state() const override;
  void load_state(const Tensors& state) override;

 private:
  void check_teacher() const;
  /// Means over the steps so far. Throws Error when one is not a number.
  TrainMetrics means(const at::Tensor& sums) const;
  /// The teacher's logits for the same samples, as it infers: without masks and dropout.
  at::Tensor wanted_logits(const AudioBatch& batch, const std::vector<int64_t>& frames) const;

  Trainable& model_;
  std::shared_ptr<const Trainable> teacher_;
  TrainOptions options_;
  AdamW optimizer_;
  int64_t steps_ = 0;
  at::Tensor sums_;  // float64 [3], on the device: losses, gradient norms, infinite losses
};

}  // namespace flowqat::model
