/// A model that is calibrated, trained, saved, loaded and converted in each of the ways that there
/// are: what is done on two devices and compared.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "tests/model/wav2vec2_golden.h"

namespace flowqat::model {

struct Way {
  std::string name;
  std::optional<Policy> policy = {};  ///< none: float
  bool taught = false;                ///< by a model in float
  TrainOptions options = {};
  bool head_only = false;
};

inline std::vector<Way> ways() {
  const auto with = [](const auto& change) {
    Policy policy;
    for (LayerChoice* choice :
         {&policy.feature_extractor, &policy.attention, &policy.feed_forward}) {
      change(**choice);
    }
    return policy;
  };
  return {
      {.name = "float"},
      {.name = "float, taught", .taught = true},
      {.name = "fake-quantized", .policy = Policy{}},
      {.name = "fake-quantized, taught", .policy = Policy{}, .taught = true},
      {.name = "affine weights", .policy = with([](auto& s) { s.symmetric_weights = false; })},
      {.name = "one scale a weight",
       .policy = with([](auto& s) { s.per_channel_weights = false; })},
      {.name = "clipped", .policy = with([](auto& s) { s.range = RangeEstimate::percentile; })},
      {.name = "least squares", .policy = with([](auto& s) { s.range = RangeEstimate::mse; })},
      {.name = "smoothed", .policy = with([](auto& s) { s.smoothing = 0.5; })},
      {.name = "learned steps", .policy = with([](auto& s) { s.learned_step = true; })},
      {.name = "in rounds", .policy = Policy{}, .options = {.batches_per_step = 2}},
      {.name = "in rounds, taught",
       .policy = Policy{},
       .taught = true,
       .options = {.batches_per_step = 2}},
      {.name = "averaged", .policy = Policy{}, .options = {.ema_decay = 0.9}},
      {.name = "checkpointed", .policy = Policy{}, .options = {.gradient_checkpointing = true}},
      {.name = "extractor frozen", .policy = Policy{}, .options = {.feature_gradient_scale = 0}},
      {.name = "head only", .policy = Policy{}, .head_only = true},
  };
}

/// What comes of a model that is calibrated, trained for three steps, saved, loaded and converted.
struct Course {
  std::vector<double> losses, norms;
  Tensors weights;
  at::Tensor trained, reloaded;    ///< logits
  std::optional<at::Tensor> int8;  ///< logits
};

inline std::unique_ptr<Model> load_masked(const Golden& golden) {
  Config config = golden.config;
  config.attention_mask = true;
  return engine().load(config, golden.weights, nullptr);
}

inline void calibrate(Model& model, const Golden& golden, const Policy& policy) {
  model.insert_fake_quantizers(policy);
  const auto hear = [&] {
    for (int batch = 0; batch < 2; ++batch) model.observe(golden.batch());
  };
  hear();
  if (model.needs_second_pass()) {
    model.begin_second_pass();
    hear();
  }
  model.finish_calibration();
  model.set_activation_observers(true);
}

inline TrainOptions options_of(const Way& way) {
  TrainOptions options = way.options;
  options.clip_norm = 0.5;
  options.reduction = CtcReduction::mean;
  if (way.taught) options.distillation_weight = 0.5;
  return options;
}

inline void train_step(Trainer& trainer, const Golden& golden, const Way& way, uint64_t step) {
  for (int64_t batch = 0; batch < way.options.batches_per_step; ++batch) {
    trainer.accumulate(golden.masked_batch(), 10 * step + static_cast<uint64_t>(batch));
  }
  trainer.update(1e-4);
}

/// On whatever device the engine is configured for.
inline Course course(const Golden& golden, const Way& way) {
  Course course;
  const auto model = load_masked(golden);
  if (way.policy) calibrate(*model, golden, *way.policy);
  const TrainOptions options = options_of(way);
  const std::shared_ptr<const Model> teacher = way.taught ? load_masked(golden) : nullptr;
  const auto trainer = model->trainer(options, teacher);
  trainer->train_head_only(way.head_only);
  for (uint64_t step = 0; step < 3; ++step) {
    if (step == 2 && way.policy) model->set_activation_observers(false);
    train_step(*trainer, golden, way, step);
    const TrainMetrics metrics = trainer->metrics();
    course.losses.push_back(metrics.loss);
    course.norms.push_back(metrics.gradient_norm);
    if (options.ema_decay > 0) {  // evaluated while it trains
      trainer->exchange_average();
      model->infer(golden.batch());
      trainer->exchange_average();
    }
  }
  course.weights = model->tensors();
  course.trained = as_tensor(model->infer(golden.batch()));
  const auto json = way.policy ? nlohmann::json::parse(model->quantization().dump()) : nullptr;
  const auto loaded = engine().load(model->config(), course.weights, json);
  course.reloaded = as_tensor(loaded->infer(golden.batch()));
  // A loaded optimizer goes on where the other stands.
  const auto resumed = loaded->trainer(options, teacher);
  resumed->load_state(trainer->state());
  resumed->train_head_only(way.head_only);
  train_step(*resumed, golden, way, 3);
  course.losses.push_back(resumed->metrics().loss);
  if (way.policy) course.int8 = as_tensor(model->convert()->infer(golden.batch()));
  return course;
}

/// The mean difference, in standard deviations of `b`.
inline double mean_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().mean() / b.std()).item<double>();
}

}  // namespace flowqat::model
