#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "model/model.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/wav2vec2.h"
#include "model/torch/training/trainer.h"

namespace flowqat::model {

/// A network, the switches of its fake quantizers, and its way in and out of files.
class TorchModel : public Model, public Trainable {
 public:
  /// Takes a network whose layers are float, all filled in by whoever calls.
  TorchModel(Config config, std::shared_ptr<Wav2Vec2ForCtc> network, at::Device device);

  const Config& config() const override { return config_; }
  Precision precision() const override { return precision_; }
  int64_t parameter_count() const override;
  std::unique_ptr<Model> clone() const override;
  Tensors tensors() const override;
  nlohmann::json quantization() const override;
  Logits infer(const AudioBatch& batch) const override;
  std::unique_ptr<Trainer> trainer(const TrainOptions& options,
                                   std::shared_ptr<const Model> teacher,
                                   std::shared_ptr<Group> group) override;
  std::vector<std::string> quantizable_layers() const override;
  void insert_fake_quantizers(const Policy& policy) override;
  void observe(const AudioBatch& batch) override;
  bool needs_second_pass() const override;
  void begin_second_pass() override;
  void finish_calibration() override;
  void set_activation_observers(bool on) override;
  void set_fake_quantization(bool on) override;
  void fake_quantize_only(const std::vector<std::string>& layers) override;
  std::unique_ptr<RangeProbe> probe(const std::vector<std::string>& layers) override;
  std::unique_ptr<Model> convert(const ConvertOptions& options) const override;

  Wav2Vec2ForCtc& network() override { return *network_; }
  at::Device device() const override { return device_; }
  at::Tensor evaluate(const NetworkInput& input) const override;
  /// Observers as chosen; remembers whether the mask embedding is in use.
  void begin_training(const NetworkInput& input) override;
  bool uses_mask_embedding() const override { return mask_embedding_used_; }
  void use_mask_embedding() override { mask_embedding_used_ = true; }
  void see_weights() override;
  /// Fills a float model on the CPU from a file's tensors and quantization, as Engine::load says.
  void load(const Tensors& tensors, const nlohmann::json& quantization, const LoadOptions& options,
            std::vector<std::string>& notes);
  void move_to(at::Device device);

 private:
  enum class Mode { evaluating, finding_peaks, observing, training };

  void enter(Mode mode) const;
  at::Tensor scores_of(const AudioBatch& batch, const std::vector<int64_t>& frames) const;
  std::unique_ptr<TorchModel> copy() const;
  /// Throws Error unless these are exactly the layers that the policy quantizes, as it does.
  void check_layers(const nlohmann::json& layers) const;
  /// Throws Error for an exception that matches no layer.
  void check_exceptions(const Policy& policy) const;
  void require_calibrated(const char* action) const;
  /// Layers that hear the same input learn one step for it, where they have learned the same so
  /// far: their int8 forms then quantize it once.
  void share_input_steps();
  std::vector<std::string> float_layers() const;
  bool mask_embedding_is_saved() const;
  /// The layers that the policy quantizes, with their schemes.
  void for_quantized_layers(
      const std::function<void(const Wav2Vec2ForCtc::NamedLayer&, const LayerScheme&)>& call) const;

  Config config_;
  std::shared_ptr<Wav2Vec2ForCtc> network_;
  at::Device device_;
  Precision precision_ = Precision::float32;
  Policy policy_;
  bool calibrated_ = false, observing_activations_ = false, mask_embedding_used_ = false;
  bool half_positional_conv_ = false;  ///< stored so; computed in float32
  // Inference switches the network's mode at most once, under the lock; it then only reads.
  mutable std::mutex mode_lock_;
  mutable std::optional<Mode> mode_;
};

}  // namespace flowqat::model
