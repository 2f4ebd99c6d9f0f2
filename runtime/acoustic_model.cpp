#include "runtime/acoustic_model.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "model/batch.h"
#include "runtime/kernels/self_check.h"
#include "runtime/network/encoder.h"
#include "runtime/network/feature_extractor.h"

namespace flowqat::runtime {
namespace {

using model::Error;

Target checked(const Options& options) {
  if (!options.target) return best_right_target();
  const Target target = *options.target;
  if (runs_here(target)) {
    const std::string& wrong = wrong_kernel(target);
    if (wrong.empty()) return target;
    throw Error("kernels \"" + std::string(name_of(target)) +
                "\" compute wrongly on this processor (" + wrong + "): choose others");
  }
  std::string here;
  for (const Target one : targets_here()) {
    here += (here.empty() ? "" : ", ") + std::string(name_of(one));
  }
  throw Error("kernels \"" + std::string(name_of(target)) +
              "\": this processor does not have their instructions; it runs " + here);
}

class Int8Model : public model::AcousticModel {
 public:
  Int8Model(const model::Config& config, const model::Tensors& tensors,
            const nlohmann::json& quantization, const Options& options)
      : config_(config),
        kernels_(checked(options)),
        threads_(options.threads),
        clock_(options.clock),
        weights_(std::make_unique<Weights>(tensors, quantization, options.bytes_read)),
        features_(kernels_, config_, *weights_),
        projection_norm_(read_norm()),
        projection_(kernels_,
                    weights_->layer("wav2vec2.feature_projection.projection",
                                    {.out = config.hidden_size, .in = config.conv_dim.back()})),
        encoder_(kernels_, threads_, config_, *weights_),
        head_(kernels_,
              weights_->layer("lm_head", {.out = config.vocab_size, .in = config.hidden_size})) {
    projection_.set_output({}, {});
    head_.set_output({}, {});
    weights_->pass_over("wav2vec2.masked_spec_embed");
    weights_->check();
    // The gains of the weight norm, which is folded.
    parameters_ = weights_->count() + config.num_conv_pos_embeddings;
    weights_.reset();
  }

  const model::Config& config() const override { return config_; }
  model::Precision precision() const override { return model::Precision::int8; }
  int64_t parameter_count() const override { return parameters_; }

  model::Logits infer(const model::AudioBatch& batch) const override {
    model::Logits logits;
    logits.lengths_frames = model::checked_frames(config_, batch);
    logits.rows = batch.rows;
    logits.frames = frames_of(config_, batch.padded_samples);
    logits.vocabulary = config_.vocab_size;
    logits.values.resize(static_cast<size_t>(logits.rows * logits.frames * logits.vocabulary));
    const Borrowed context(*this);
    run(*context, batch, logits);
    return logits;
  }

 private:
  /// A context for the time of a call: as many are kept as ever were in use at once.
  class Borrowed {
   public:
    explicit Borrowed(const Int8Model& owner) : owner_(owner), context_(owner.take()) {}
    ~Borrowed() { owner_.give_back(std::move(context_)); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Context& operator*() const { return *context_; }

   private:
    const Int8Model& owner_;
    std::unique_ptr<Context> context_;
  };

  std::unique_ptr<Context> take() const {
    const std::lock_guard lock(lock_);
    if (free_.empty()) {
      auto made = std::make_unique<Context>(kernels_, threads_);
      made->clock = clock_;
      return made;
    }
    std::unique_ptr<Context> taken = std::move(free_.back());
    free_.pop_back();
    return taken;
  }

  void give_back(std::unique_ptr<Context> context) const {
    context->memory.clear();
    context->spare.clear();
    for (Stack& scratch : context->scratch) scratch.clear();
    const std::lock_guard lock(lock_);
    free_.push_back(std::move(context));
  }

  LayerNorm read_norm() {
    const std::string name = "wav2vec2.feature_projection.layer_norm";
    const int64_t channels = config_.conv_dim.back();
    std::vector<float> weight = weights_->floats(name + ".weight", {channels});
    std::vector<float> bias = weights_->floats(name + ".bias", {channels});
    return {std::move(weight), std::move(bias), static_cast<float>(config_.layer_norm_eps)};
  }

  void run(Context& context, const model::AudioBatch& batch, model::Logits& logits) const {
    Stack& memory = context.memory;
    const int64_t frames = logits.frames, all = batch.rows * frames;
    const int64_t hidden = config_.hidden_size;
    auto* const x = memory.take<float>(all * hidden);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const Scope scope(memory);
      int64_t found = 0;
      const float* const features = features_.run(
          context, batch.samples.data() + row * batch.padded_samples, batch.padded_samples, found);
      project(context, features, frames, x + row * frames * hidden);
    }
    const FrameRows shape{batch.rows, frames, speech_of(memory, batch, logits)};
    const Values y = encoder_.run(context, x, shape, head_.wanted());
    const Timed timed(context.clock, "feature projection and head");
    head_.run(context, y, all, hidden, {logits.values.data(), nullptr}, logits.vocabulary);
  }

  void project(Context& context, const float* features, int64_t frames, float* y) const {
    const Timed timed(context.clock, "feature projection and head");
    const int64_t channels = projection_norm_.channels();
    const Wanted& wanted = projection_.wanted();
    const Values normed = take_values(context.memory, wanted, frames * channels);
    NormOutput output{.normed = normed.floats,
                      .bytes = normed.bytes,
                      .grid = wanted.grid.value_or(ByteGrid{}),
                      .factor = wanted.factors()};
    add_norm(context, projection_norm_, {.floats = features, .bytes = nullptr, .grid = {}}, frames,
             output);
    projection_.run(context, normed, frames, channels, {y, nullptr}, config_.hidden_size);
  }

  /// 1 for frames of speech, or null where no mask is wanted or needed.
  const uint8_t* speech_of(Stack& memory, const model::AudioBatch& batch,
                           const model::Logits& logits) const {
    const bool padded = std::any_of(logits.lengths_frames.begin(), logits.lengths_frames.end(),
                                    [&](int64_t frames) { return frames < logits.frames; });
    if (!config_.attention_mask || !padded) return nullptr;
    auto* const speech = memory.take<uint8_t>(batch.rows * logits.frames);
    std::fill_n(speech, batch.rows * logits.frames, uint8_t{0});
    for (int64_t row = 0; row < batch.rows; ++row) {
      std::fill_n(speech + row * logits.frames, logits.lengths_frames[static_cast<size_t>(row)],
                  uint8_t{1});
    }
    return speech;
  }

  model::Config config_;
  Kernels kernels_;
  Threads threads_;
  PartClock* clock_;
  std::unique_ptr<Weights> weights_;  // while it is constructed
  FeatureExtractor features_;
  LayerNorm projection_norm_;
  Layer projection_;
  Encoder encoder_;
  Layer head_;
  int64_t parameters_ = 0;
  mutable std::mutex lock_;
  mutable std::vector<std::unique_ptr<Context>> free_;
};

}  // namespace

std::unique_ptr<model::AcousticModel> load(const model::Config& config,
                                           const model::Tensors& tensors,
                                           const nlohmann::json& quantization,
                                           const Options& options) {
  return std::make_unique<Int8Model>(config, tensors, quantization, options);
}

}  // namespace flowqat::runtime
