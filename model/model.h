/// The torch-free face of the model: what a node or a command can ask of it. Everything behind it
/// is LibTorch, in a shared library that `engine()` opens when a model is first needed.
#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/parameter_group.h"
#include "model/quantization.h"
#include "model/ranges.h"
#include "model/tensor.h"

namespace flowqat::model {

/// Any failure of the model room: wrong weights, an unsupported configuration, a missing engine.
/// The text names the tensor, layer or field, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `length` places from `start`, in frames (time masks) or hidden channels (channel masks).
struct MaskSpan {
  int32_t start = 0;
  int32_t length = 0;
};

/// A padded batch of speech; views only, the caller keeps the memory. Every row holds speech.
struct AudioBatch {
  std::span<const float> samples;  ///< [rows, padded_samples], zero behind each row's end
  int64_t rows = 0;
  int64_t padded_samples = 0;
  std::vector<int64_t> lengths_samples;       ///< [rows], each at most padded_samples
  std::vector<std::vector<int32_t>> targets;  ///< [rows] token ids; empty where nothing is scored
  std::vector<std::vector<MaskSpan>> time_masks;     ///< [rows] or empty: no masks
  std::vector<std::vector<MaskSpan>> channel_masks;  ///< [rows] or empty: no masks
};

/// Scores of every frame before the softmax.
struct Logits {
  int64_t rows = 0, frames = 0, vocabulary = 0;
  std::vector<float> values;            ///< [rows, frames, vocabulary]
  std::vector<int64_t> lengths_frames;  ///< [rows] frames that stand for speech, not padding
};

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
  /// Distillation (arXiv:1503.02531): the loss becomes CTC + weight T^2 KL(teacher || student), the
  /// divergence of the frames' softmax at temperature T, as a mean over the frames of speech.
  double distillation_weight = 0;
  double distillation_temperature = 1;
};

/// Means over the updates since the last call of Trainer::metrics(), without those skipped.
struct TrainMetrics {
  int64_t steps = 0;    ///< updates, those skipped included
  int64_t skipped = 0;  ///< updates that were left out: see Trainer::update()
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
  virtual void accumulate(const AudioBatch& batch, uint64_t seed) = 0;
  /// Ends the round: clip, AdamW. A round without a batch changes and counts nothing. Where a loss
  /// or the gradient is not a finite number the update is skipped: weights, the optimizer's state
  /// and the ranges of fake quantizers are as before the round. Does not wait for the device.
  virtual void update(double learning_rate) = 0;
  /// A round of one batch.
  void step(const AudioBatch& batch, double learning_rate, uint64_t seed) {
    accumulate(batch, seed);
    update(learning_rate);
  }
  /// Waits for the device.
  virtual TrainMetrics metrics() = 0;
  /// The updates since the last call that were skipped. Waits for the device; what is kept until
  /// then grows with the updates, by a few bytes a row.
  virtual std::vector<SkippedUpdate> skipped() = 0;
  /// For a checkpoint: exp_avg, exp_avg_sq and step count of every parameter, what metrics() has
  /// summed up so far, and within a round all that belongs to it; but not what skipped() would
  /// tell.
  virtual Tensors state() const = 0;
  virtual void load_state(const Tensors& state) = 0;
  /// While on, no gradient reaches anything but the head, which alone is moved; masks, dropout and
  /// layerdrop work as ever (fairseq's freeze_finetune_updates). Off at first; no part of state().
  virtual void train_head_only(bool on) = 0;
  /// Exchanges the model's weights with their average; once more, and they are back, bit for bit.
  /// No step between the two. Error where there is no average.
  virtual void exchange_average() = 0;
};

struct ConvertOptions {
  /// Rounds the positional convolution's float weight to half precision and stores it so: 9 MB less
  /// at base size.
  bool half_positional_conv = false;
};

/// What a model's numbers are computed in.
enum class Precision { float32, fake_quantized, int8 };

/// What recognises: scores of tokens for frames of speech.
class AcousticModel {
 public:
  virtual ~AcousticModel() = default;
  virtual const Config& config() const = 0;
  virtual Precision precision() const = 0;
  virtual int64_t parameter_count() const = 0;
  /// Evaluation mode: no dropout, no masks. Thread-compatible. Throws Error for a batch whose sizes
  /// contradict each other, or with a row too short for one frame.
  virtual Logits infer(const AudioBatch& batch) const = 0;
};

/// A model of the engine, which can also be trained, quantized and saved.
class Model : public AcousticModel {
 public:
  /// A deep copy, on the same device.
  virtual std::unique_ptr<Model> clone() const = 0;

  /// The state dict under Hugging Face's names, on the CPU. For int8: int8 weights under the same
  /// names (packed_weights.h), per-channel scales under `LAYER.weight_scale`; float remainder as it
  /// is.
  virtual Tensors tensors() const = 0;
  /// Null for a float model; else the content of `quantization.json` (int8) or of
  /// `fake_quantization.json` (policy and observer state): with tensors(), all that loading needs.
  virtual nlohmann::json quantization() const = 0;

  /// Only for float32 and fake_quantized models. `teacher`, which distillation needs, is a model of
  /// this engine with the same frames and vocabulary.
  virtual std::unique_ptr<Trainer> trainer(const TrainOptions& options,
                                           std::shared_ptr<const Model> teacher = nullptr) = 0;

  /// The names of the layers that a policy can quantize, in the order of the forward.
  virtual std::vector<std::string> quantizable_layers() const = 0;

  /// Puts a fake quantizer on the input, weight and output of every layer that the policy chooses;
  /// fake quantization is off until calibration ends.
  virtual void insert_fake_quantizers(const Policy& policy) = 0;
  /// Forward in evaluation mode with observers on and fake quantization off. Where the policy
  /// smooths channels, calibration hears its audio twice: for the channels' peaks, and behind
  /// begin_second_pass() for the ranges.
  virtual void observe(const AudioBatch& batch) = 0;
  virtual bool needs_second_pass() const = 0;
  /// Smooths by what was heard so far: one factor for the queries, keys and values of a layer,
  /// which have one input. Error where no second pass is needed, or a layer has heard nothing.
  virtual void begin_second_pass() = 0;
  /// Ends calibration: fake quantization on, observers off; then tells what they saw is enough
  /// (Error names a layer that saw nothing, or says that a second pass is due).
  virtual void finish_calibration() = 0;
  /// Training with observers: activations observed or frozen; weights always follow. Only moving
  /// averages are observed in training; learned steps are learned while this is on.
  virtual void set_activation_observers(bool on) = 0;
  /// After calibration: fake quantization of all quantized layers on or off.
  virtual void set_fake_quantization(bool on) = 0;
  /// After calibration: on for exactly these of the quantized layers, in inference and in training.
  virtual void fake_quantize_only(const std::vector<std::string>& layers) = 0;

  /// The int8 model with exactly the trained scales and zero points, on the CPU. Each layer runs
  /// on the engine that it was quantized for; `runtime/` runs the same numbers faster.
  virtual std::unique_ptr<Model> convert(const ConvertOptions& options = {}) const = 0;

  /// Only for float32 and fake_quantized models. The model computes as it is switched; a layer with
  /// a calibrated grid is compared with it whether or not it is switched on. Error for a name that
  /// is no layer's.
  virtual std::unique_ptr<RangeProbe> probe(const std::vector<std::string>& layers) = 0;
};

/// Where a loaded model's head (from hidden states to tokens) comes from.
enum class Head {
  file,           ///< the tensors; without one, loading fails
  file_or_fresh,  ///< drawn where the tensors hold none, or one for another number of tokens
  fresh,          ///< drawn: the tensors' head means other tokens
};

struct LoadOptions {
  Head head = Head::file;
  uint64_t seed = 0;      ///< what a drawn head is drawn with
  double blank_bias = 0;  ///< of a drawn head, as in Engine::create
};

struct EngineOptions {
  std::string device = "auto";  ///< auto (cuda where there is a GPU), cpu, cuda
  int threads = 0;              ///< compute threads; 0: all cores this process may use
  /// What float32 numbers are multiplied in: float32; tf32, where a GPU keeps 10 of the 23 bits
  /// behind the point of each factor and sums in float32 (a CPU stays with float32); or bf16, where
  /// a CPU with AVX-512 BF16 keeps 7 of them in linear layers and convolutions, all but the
  /// positional one, and sums in float32. Fake-quantized operands lose nothing by that: they are
  /// multiplied as the integers that they stand for; their gradients are rounded.
  std::string precision = "float32";
};

/// One a process: LibTorch, opened.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Fixes device and threads for models made from here on; Error if the device is not there.
  virtual void configure(const EngineOptions& options) = 0;
  /// "cpu" or "cuda:0 (NAME)".
  virtual std::string device() const = 0;
  /// Why "auto" means the CPU although a GPU's driver is here; empty where it does not.
  virtual std::string why_no_gpu() const = 0;
  virtual int threads() const = 0;
  virtual std::string libtorch_version() const = 0;
  /// The widest vector instructions that the kernels use ("AVX512"): recorded with checkpoints.
  virtual std::string instruction_set() const = 0;
  /// Fresh weights by Hugging Face's rules (initializer_range, kaiming convolutions), from `seed`.
  /// `blank_bias` is what the head's bias for the CTC blank begins with (0 by those rules): a model
  /// that begins by saying blank need not first learn to.
  virtual std::unique_ptr<Model> create(const Config& config, uint64_t seed,
                                        double blank_bias = 0) = 0;
  /// From a state dict and what Model::quantization() returned (null: float32). Takes the state of
  /// transformers' Wav2Vec2ForCTC, and of Wav2Vec2ForPreTraining (whose own head is left out) and
  /// Wav2Vec2Model where the options let a head be drawn. Lists every missing, unexpected and
  /// wrongly shaped tensor in one Error. `notes`, where given, receives a sentence for the user for
  /// each thing left out or drawn.
  virtual std::unique_ptr<Model> load(const Config& config, const Tensors& tensors,
                                      const nlohmann::json& quantization,
                                      const LoadOptions& options = {},
                                      std::vector<std::string>* notes = nullptr) = 0;
};

/// Opens the model library beside the program at the first call. Throws Error with the loader's
/// text when it, or LibTorch, cannot be opened. Thread-safe.
Engine& engine();

}  // namespace flowqat::model
