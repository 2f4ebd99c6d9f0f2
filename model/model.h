/// The torch-free face of the model: what a node or a command can ask of it. Everything behind it
/// is LibTorch, in a shared library that `engine()` opens when a model is first needed.
#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/error.h"
#include "model/group.h"
#include "model/quantization.h"
#include "model/ranges.h"
#include "model/tensor.h"
#include "model/trainer.h"

namespace flowqat::model {

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
  /// Evaluation mode: no dropout, no masks. Thread-compatible. Where a device has not the memory
  /// for all rows at once, half of them come after the other, padded alike. Throws Error for a
  /// batch whose sizes contradict each other, or with a row too short for one frame, and
  /// OutOfMemory where there is not enough for one row.
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
  /// this engine with the same frames and vocabulary. With a group of several processes all of them
  /// call it, with the same options and the same weights and ranges, and train as one; Error names
  /// those whose weights or ranges are not rank 0's.
  virtual std::unique_ptr<Trainer> trainer(const TrainOptions& options,
                                           std::shared_ptr<const Model> teacher = nullptr,
                                           std::shared_ptr<Group> group = nullptr) = 0;
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
  /// auto (cuda where there is a GPU), cpu, cuda, cuda:1 (the second GPU), or one that a library
  /// has brought to LibTorch. Of several processes that have joined, auto and cuda give each of a
  /// machine its own GPU.
  std::string device = "auto";
  int threads = 0;  ///< compute threads; 0: all cores this process may use
  /// What float32 numbers are multiplied in: float32; tf32, where a GPU keeps 10 of the 23 bits
  /// behind the point of each factor and sums in float32 (a CPU stays with float32); bf16, where a
  /// GPU or a CPU with AVX-512 BF16 keeps 7 of them in linear layers and convolutions (of the
  /// positional one on the CPU alone; a GPU computes it and attention in tf32), and sums in
  /// float32; or fp16, on a GPU alone, which keeps 10 in the same places, of factors from 6e-8 to
  /// 65,504: the loss is multiplied by a scale that moves with the gradient. Fake-quantized
  /// operands lose nothing by either: they are multiplied as the integers that they stand for;
  /// their gradients are rounded.
  std::string precision = "float32";
};

/// One a process: LibTorch, opened.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Fixes device and threads for models made from here on; Error if the device is not there.
  virtual void configure(const EngineOptions& options) = 0;
  /// Whether a library has brought a device of that name to LibTorch, beside its own.
  virtual bool knows_device(const std::string& name) const = 0;
  /// "cpu" or "cuda:0 (NAME)".
  virtual std::string device() const = 0;
  /// Why "auto" means the CPU although a GPU or its driver is here; empty where it does not.
  virtual std::string why_no_gpu() const = 0;
  /// What makes training on this device slower than it need be, a sentence; mostly empty.
  virtual std::string device_note() const = 0;
  virtual int threads() const = 0;
  /// Meets the other processes at the place that `rank` names: every one of them calls it, with the
  /// same size, and it comes back when all have. One process alone meets nobody and opens no port.
  /// They exchange through Gloo, over the interfaces that GLOO_SOCKET_IFNAME names, as PyTorch's
  /// processes do; else over loopback where all are on one machine, or the address that this
  /// machine's name has; what is on GPUs through NCCL. Error for a rank that cannot be, a port that
  /// is taken, and where two have one rank; PeerError names those that did not come in time.
  virtual std::shared_ptr<Group> join(const Rank& rank) = 0;
  /// Group::is_told() for processes that fail before they have met. Takes up to some seconds.
  virtual bool is_told(const Rank& rank, const std::string& failure) = 0;
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
