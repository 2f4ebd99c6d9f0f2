/// How a model is trained, without LibTorch; part of model/model.h.
#pragma once
#include <cstdint>
#include <vector>

#include "model/parameter_group.h"
#include "model/tensor.h"

namespace flowqat::model {

struct AudioBatch;

enum class CtcReduction {
  mean,        ///< each loss divided by its target's length, then the mean (PyTorch's "mean")
  sum,         ///< the plain sum (Hugging Face's default for base-960h)
  utterances,  ///< the sum divided by the number of utterances (fairseq's with sentence_avg)
  characters,  ///< the sum divided by the number of target tokens in the batch
};

struct TrainOptions {
  /// Batches of a round, whose gradients are summed for one update; the last may have fewer.
  int64_t batches_per_step = 1;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0.01;
  bool decay_matrices_only = false;  ///< weight decay spares biases, norms and other vectors
  double clip_norm = 0;              ///< largest global gradient norm; 0: no clipping
  std::vector<ParameterGroup> groups = {};
  /// What the gradient is multiplied by on its way into the feature extractor (fairseq's
  /// feature_grad_mult); 0: the extractor is frozen.
  double feature_gradient_scale = 1;
  /// The weights' exponential moving average e <- d e + (1 - d) w after each update, begun as the
  /// weights that training begins with; 0: none.
  double ema_decay = 0;
  /// Keeps of each encoder layer only its input for the backward, and computes the layer again
  /// there: less memory, the same numbers, a forward more.
  bool gradient_checkpointing = false;
  CtcReduction reduction = CtcReduction::mean;
  bool zero_infinity = true;
  /// In a group, each process keeps the optimizer's moments of its own share of the parameters,
  /// moves those, and hands them to the others (ZeRO, arXiv:1910.02054, section 5.1): the same bits
  /// with less memory.
  bool shard_optimizer = false;
  /// Distillation (arXiv:1503.02531): the loss becomes CTC + weight T^2 KL(teacher || student), the
  /// divergence of the frames' softmax at temperature T, as a mean over the frames of speech.
  double distillation_weight = 0;
  double distillation_temperature = 1;
};

/// Means over the updates since the last call of Trainer::metrics(), without those left out.
struct TrainMetrics {
  int64_t steps = 0;    ///< updates, those left out included
  int64_t skipped = 0;  ///< updates that were left out: see Trainer::update()
  int64_t overflows =
      0;  ///< others that were, because the loss scale was too large for half precision
  double loss_scale = 0;  ///< as it is by now; 0: there is none
  double loss = 0;
  double gradient_norm = 0;     ///< before clipping
  int64_t infinite_losses = 0;  ///< utterances whose target does not fit their frames
};

/// An update that was left out.
struct SkippedUpdate {
  int64_t update = 0;  ///< counts the updates since Trainer::skipped() was last called, from 0
  struct Row {
    int64_t batch = 0;  ///< of the round, from 0
    int64_t row = 0;    ///< of the batch
  };
  /// Whose loss was not a finite number. Empty: the losses were, but not their gradient.
  std::vector<Row> rows;
};

/// How a batch was heard.
enum class Hearing { whole, in_halves };

/// Optimizes one model in place, by rounds of batches: an update for every round, with the gradient
/// of the loss over all of the round's rows together, so that it does not depend on how the rows
/// are cut into batches. The denominator of the CTC loss (rows, target tokens or 1, by the
/// reduction) and that of distillation (frames of speech) are the whole round's. Not thread-safe;
/// the model outlives it.
class Trainer {
 public:
  virtual ~Trainer() = default;
  /// Forward and backward; the gradient is added to the round's. All randomness (dropout,
  /// layerdrop) comes from `seed`, so a resumed run draws what an uninterrupted one would. Does not
  /// wait for the device. With a teacher and batches_per_step above 1 the way back is gone twice,
  /// because the round's two denominators are known only at its end.
  ///
  /// In a group each process accumulates its own batches of the round, at most batches_per_step
  /// over all of them, and it may be none. `batch_of_round` is the batch's number among them all,
  /// which skipped() tells (-1: the next of this process). `is_last`: this process brings no other
  /// to the round, and its gradients are summed with the others' while they are computed; where it
  /// is never said, update() sums them. The group is not to be called between a round's first batch
  /// and its update().
  ///
  /// Where a device has not the memory for a batch, its rows are heard in two halves, padded as the
  /// whole is, as if they were two batches of the round: loss and gradient are those of the whole
  /// batch but for the order of sums, layers are dropped as there, and fake quantizers see each
  /// half as they see each batch of a round. What dropout draws is alike only in distribution; so
  /// without dropout a resumed run, which may find other memory there, comes to what an undisturbed
  /// one does but for the order of sums. Throws OutOfMemory, with the round as it was before the
  /// batch, where a half is too much too, or the batch has but one row; in a group at once, because
  /// the others may be waiting for the whole.
  virtual Hearing accumulate(const AudioBatch& batch, uint64_t seed, int64_t batch_of_round,
                             bool is_last) = 0;
  Hearing accumulate(const AudioBatch& batch, uint64_t seed) {
    return accumulate(batch, seed, -1, false);
  }
  /// Ends the round: clip, AdamW. A round without a batch changes and counts nothing. Where a loss
  /// or the gradient is not a finite number the update is skipped: weights, the optimizer's state
  /// and the ranges of fake quantizers are as before the round. Does not wait for the device.
  ///
  /// Where factors are in half precision the loss is scaled (model/torch/training/loss_scaler.h has
  /// the rule). An update whose loss is finite, but not its gradient, is left out in the same way;
  /// as long as the scale is above 1 it is not told as skipped, but counted as an overflow.
  ///
  /// A fake quantizer that observes sees each batch of the round from the range that the round
  /// began with, and takes the widest of what they come to, as if they were one batch.
  ///
  /// In a group all call it together, whoever had no batch included; gradients, losses and ranges
  /// are those of all processes, and so is what becomes of the weights, bit for bit.
  virtual void update(double learning_rate) = 0;
  /// A round of one batch.
  void step(const AudioBatch& batch, double learning_rate, uint64_t seed) {
    accumulate(batch, seed);
    update(learning_rate);
  }
  /// Of all processes of a group, in each. Waits for the device.
  virtual TrainMetrics metrics() = 0;
  /// The updates since the last call that were skipped. Waits for the device; what is kept until
  /// then grows with the updates, by a few bytes a row. The updates are the same in all processes
  /// of a group, the rows those of this one's batches.
  virtual std::vector<SkippedUpdate> skipped() = 0;
  /// For a checkpoint: exp_avg, exp_avg_sq and step count of every parameter, what metrics() has
  /// summed up so far, the loss scale where there is one, and within a round all that belongs to
  /// it; but not what skipped() would tell. In a group there is none within a round, and any
  /// process's is the whole, for any number of processes; with shard_optimizer all call it
  /// together, and rank 0's alone is the whole. A group can go on within a round that one process
  /// has left: the batches that it did count once.
  virtual Tensors state() const = 0;
  virtual void load_state(const Tensors& state) = 0;
  /// While on, no gradient reaches anything but the head, which alone is moved; masks, dropout and
  /// layerdrop work as ever (fairseq's freeze_finetune_updates). Off at first; no part of state().
  virtual void train_head_only(bool on) = 0;
  /// Exchanges the model's weights with their average; once more, and they are back, bit for bit.
  /// No step between the two. Error where there is no average.
  virtual void exchange_average() = 0;
};

}  // namespace flowqat::model
