#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/distributed/gradient_sum.h"
#include "model/torch/distributed/torch_group.h"
#include "model/torch/network/wav2vec2.h"
#include "model/torch/training/adamw.h"
#include "model/torch/training/loss.h"
#include "model/torch/training/loss_scaler.h"
#include "model/torch/training/round.h"
#include "model/torch/training/shared_inputs.h"
#include "model/torch/training/weight_average.h"
#include "model/torch/training/weight_grids.h"

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
  /// Whether the mask embedding has been in use, here or in another process.
  virtual bool uses_mask_embedding() const = 0;
  virtual void use_mask_embedding() = 0;
  /// Lets whatever follows the weights in training see them as they are now.
  virtual void see_weights() = 0;
};

/// Trains one model in place, on its device. All sums stay there until metrics().
class TorchTrainer : public Trainer {
 public:
  /// `teacher` is null where there is no distillation, `group` where there is one process. Throws
  /// Error for a teacher that cannot teach this model, and where another process has other weights.
  TorchTrainer(Trainable& model, const TrainOptions& options,
               std::shared_ptr<const Trainable> teacher, std::shared_ptr<TorchGroup> group);
  ~TorchTrainer() override;
  using Trainer::accumulate;
  Hearing accumulate(const AudioBatch& batch, uint64_t seed, int64_t batch_of_round,
                     bool is_last) override;
  void update(double learning_rate) override;
  TrainMetrics metrics() override;
  std::vector<SkippedUpdate> skipped() override;
  Tensors state() const override;
  void load_state(const Tensors& state) override;
  void train_head_only(bool on) override;
  void exchange_average() override;

 private:
  /// An update of which skipped() has not told yet.
  struct Watched {
    at::Tensor skipped;  ///< [] bool on the device; undefined: there was no batch
    std::vector<Round::Finite> finite;
  };

  /// Rows that go through the network at once: a batch, or half of one.
  struct Part {
    const AudioBatch& rows;
    uint64_t seed = 0;
    int64_t batch = 0;     ///< of the round
    bool sums_up = false;  ///< else it is all that there is of the round
    bool is_last = false;  ///< of this process
    bool is_second_half = false;
  };

  void check_teacher() const;
  void begin_round();
  void hear(const Part& part);
  // Where a device may run out of memory: halves.cpp.
  Hearing hear_or_halve(const Part& whole);
  /// Nothing, or why there is not enough memory; the round is as it was before then.
  std::optional<std::string> try_to_hear(const std::vector<Part>& parts, size_t& failed);
  /// The teacher's logits for the same samples, as it infers: without masks and dropout.
  at::Tensor wanted_logits(const TrainingBatch& batch) const;
  /// What to go back from.
  at::Tensor scaled(const at::Tensor& loss) const {
    return scaler_ ? loss * scaler_->scale() : loss;
  }
  /// Adds a part's gradients and losses to the round's. `taught`: undefined without a teacher.
  void go_back(const Part& part, const CtcLoss& ctc, const at::Tensor& taught, int64_t frames);
  void exchange_gradients(std::vector<at::Tensor>& others);
  /// Of the whole round, [] float64; the gradients become sums of which the denominator of the CTC
  /// loss makes means.
  at::Tensor finish_round(Round& round, double denominator);
  double denominator_of(const Round& round) const;
  /// What a frame's divergence counts for in the loss of all.
  double weight_of_frames(const Round& round) const;
  /// Adds the gradients of distillation, times `factor`, to the others.
  void join_taught(Round& round, double factor);

  // In a group: group_trainer.cpp.
  /// Lets the group exchange what is on the model's device, and throws Error where the models of
  /// all are not the same.
  void join_group();
  /// Counts and gradients become those of all processes. `ctc`, `divergence`: sums of what this
  /// process has not yet gone back through, or undefined.
  void sum_over_all(const at::Tensor& ctc, const at::Tensor& divergence);
  /// Losses and ranges become those of all.
  void join_losses_and_ranges(Round& round);

  /// For what waits for the device, where other processes may keep it from an end.
  void wait(const char* doing, const std::function<void()>& wait) const;

  Tensors whole_state() const;
  void expect_round(class StateLoader& loader, const Tensors& state);
  void expect_start_of_round(class StateLoader& loader);

  Trainable& model_;
  std::shared_ptr<const Trainable> teacher_;
  TrainOptions options_;
  std::shared_ptr<TorchGroup> group_;
  AdamW optimizer_;
  SharedInputs shared_inputs_;
  std::optional<GradientSum> gradient_sum_;
  Round round_;
  std::vector<Watched> watched_;
  std::optional<WeightAverage> average_;
  bool average_is_in_ = false;    ///< the model
  WeightGrids grids_of_weights_;  ///< as they were before
  int64_t steps_ = 0;
  std::optional<LossScaler> scaler_;  ///< where factors are in half precision
  at::Tensor sums_;  // float64 [4], on the device: losses, gradient norms, infinite losses, skipped
  at::Tensor overflows_;  ///< [] float64 on the device: updates left out for the scale
};

}  // namespace flowqat::model
