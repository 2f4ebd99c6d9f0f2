/// Losses and gradients that are no numbers.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "model/torch/base/state_dict.h"
#include "tests/model/engine/calibrated.h"

using namespace flowqat::model;

namespace {

/// A batch whose row 2 cannot be said in its frames.
AudioBatch unfit(const Golden& golden) {
  AudioBatch batch = golden.batch();
  batch.targets[2] = std::vector<int32_t>(40, 5);
  return batch;
}

/// A batch with one sample that is not a number.
struct Broken {
  explicit Broken(const Golden& golden) : batch(golden.batch()) {
    samples.assign(batch.samples.begin(), batch.samples.end());
    samples[static_cast<size_t>(batch.padded_samples) + 700] =
        std::numeric_limits<float>::quiet_NaN();
    batch.samples = samples;
  }
  AudioBatch batch;
  std::vector<float> samples;
};

std::unique_ptr<Model> following(const Golden& golden) {
  Policy policy;
  policy.feature_extractor = {};  // whose grid would make a number of what is none
  auto model = calibrated(golden, policy);
  model->set_activation_observers(true);
  return model;
}

/// Without weights' ranges, which follow the weights at every forward.
nlohmann::json activation_ranges(const Model& model) {
  nlohmann::json layers = model.quantization().at("layers");
  for (auto& layer : layers) layer.erase("weight");
  return layers;
}

}  // namespace

TEST_CASE("an update whose loss is infinite is left out, counted, and names the row", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true), other = golden.load(true);
  const TrainOptions options{.clip_norm = GENERATE(0.0, 1.0), .zero_infinity = false};
  const auto trainer = model->trainer(options), plain = other->trainer(options);
  trainer->step(golden.batch(), 1e-3, 1);
  const Tensors before = model->tensors();
  trainer->step(unfit(golden), 1e-3, 2);
  CHECK(same(model->tensors(), before));
  trainer->step(golden.batch(), 1e-3, 3);

  const std::vector<SkippedUpdate> skipped = trainer->skipped();
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].update == 1);
  REQUIRE(skipped[0].rows.size() == 1);
  CHECK(skipped[0].rows[0].batch == 0);
  CHECK(skipped[0].rows[0].row == 2);
  CHECK(trainer->skipped().empty());

  // As if it had not been there: weights, moments and counts.
  plain->step(golden.batch(), 1e-3, 1);
  plain->step(golden.batch(), 1e-3, 3);
  CHECK(same(model->tensors(), other->tensors()));
  const TrainMetrics metrics = trainer->metrics(), expected = plain->metrics();
  CHECK(metrics.steps == 3);
  CHECK(metrics.skipped == 1);
  CHECK(metrics.infinite_losses == 1);
  CHECK(metrics.loss == expected.loss);
  CHECK(metrics.gradient_norm == expected.gradient_norm);
  CHECK(same(trainer->state(), plain->state()));
}

TEST_CASE("samples that are no numbers spoil neither weights nor what quantizers have seen",
          "[level]") {
  const Golden golden("wav2vec2_tiny");
  const Broken broken(golden);
  const int64_t batches = GENERATE(1, 2);
  const auto model = following(golden), other = following(golden);
  const TrainOptions options{.batches_per_step = batches, .clip_norm = 1};
  const auto trainer = model->trainer(options), plain = other->trainer(options);
  const auto round = [&](Trainer& of, const AudioBatch& first) {
    of.accumulate(first, 1);
    if (batches > 1) of.accumulate(golden.batch(), 2);
    of.update(1e-3);
  };
  round(*trainer, golden.batch());
  round(*plain, golden.batch());
  trainer->accumulate(broken.batch, 1);
  CHECK(activation_ranges(*model) != activation_ranges(*other));
  if (batches > 1) trainer->accumulate(golden.batch(), 2);
  trainer->update(1e-3);
  CHECK(same(model->tensors(), other->tensors()));
  CHECK(activation_ranges(*model) == activation_ranges(*other));
  round(*trainer, golden.batch());
  round(*plain, golden.batch());
  CHECK(same(model->tensors(), other->tensors()));
  CHECK(model->quantization() == other->quantization());
  const auto skipped = trainer->skipped();
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].update == 1);
  const TrainMetrics metrics = trainer->metrics();
  CHECK(metrics.skipped == 1);
  CHECK(std::isfinite(metrics.loss));
}

TEST_CASE("where every update is skipped there is no mean, and nothing has moved", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto trainer = model->trainer({.weight_decay = 0.5, .zero_infinity = false});
  for (uint64_t step = 0; step < 3; ++step) trainer->step(unfit(golden), 1e-2, step);
  const TrainMetrics metrics = trainer->metrics();
  CHECK(metrics.steps == 3);
  CHECK(metrics.skipped == 3);
  CHECK(metrics.loss == 0);
  CHECK(same(model->tensors(), golden.weights));
}
