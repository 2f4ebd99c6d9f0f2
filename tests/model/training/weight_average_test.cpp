// The moving average of a model's weights.
#include <ATen/ops/allclose.h>

#include <nlohmann/json.hpp>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/engine/calibrated.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

constexpr double kDecay = 0.7;

void train(Trainer& trainer, const Golden& golden, uint64_t first, uint64_t last) {
  for (uint64_t step = first; step < last; ++step) {
    trainer.step(golden.masked_batch(), 1e-3, 100 + step);
  }
}

}  // namespace

TEST_CASE("the average is that of the weights behind each update, begun as they were", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto trainer = model->trainer({.ema_decay = kDecay});
  std::map<std::string, at::Tensor> average;
  for (const Tensor& tensor : golden.weights) {
    average[tensor.name] = from_tensor(tensor).to(at::kDouble);
  }
  for (uint64_t step = 0; step < 4; ++step) {
    train(*trainer, golden, step, step + 1);
    for (const Tensor& tensor : model->tensors()) {
      at::Tensor& mean = average.at(tensor.name);
      mean = kDecay * mean + (1 - kDecay) * from_tensor(tensor).to(at::kDouble);
    }
  }
  const Tensors trained = model->tensors();
  trainer->exchange_average();
  CHECK_FALSE(same(model->tensors(), trained));
  for (const Tensor& tensor : model->tensors()) {
    INFO(tensor.name);
    const at::Tensor found = from_tensor(tensor).to(at::kDouble);
    CHECK(at::allclose(found, average.at(tensor.name), 1e-5, 1e-7));
  }
}

TEST_CASE("to look at the average changes nothing of the training, fake-quantized or not",
          "[level]") {
  const Golden golden("wav2vec2_tiny");
  const bool quantized = GENERATE(false, true);
  const auto make = [&] { return quantized ? calibrated(golden) : golden.load(true); };
  const auto looked_at = make(), left_alone = make();
  const TrainOptions options{.ema_decay = kDecay};
  const auto looked = looked_at->trainer(options), left = left_alone->trainer(options);
  for (uint64_t step = 0; step < 4; ++step) {
    train(*looked, golden, step, step + 1);
    train(*left, golden, step, step + 1);
    looked->exchange_average();
    const at::Tensor of_average = scores(*looked_at, golden);
    looked->exchange_average();
    if (step > 0) CHECK(largest_difference(of_average, scores(*looked_at, golden)) > 0);
  }
  CHECK(same(looked_at->tensors(), left_alone->tensors()));
  CHECK(looked_at->quantization() == left_alone->quantization());
  CHECK(same(looked->state(), left->state()));
}

TEST_CASE("a fake-quantized average rounds its weights on its own grid", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden);
  const auto trainer = model->trainer({.ema_decay = kDecay});
  train(*trainer, golden, 0, 3);
  trainer->exchange_average();
  const nlohmann::json layers = model->quantization().at("layers");
  const auto weights = by_name(model->tensors());
  for (const auto& [name, layer] : layers.items()) {
    INFO(name);
    const at::Tensor weight = from_tensor(weights.at(name + ".weight")).flatten(1);
    const nlohmann::json& max = layer.at("weight").at("max");
    if (!max.is_array()) continue;
    for (int64_t channel = 0; channel < weight.size(0); ++channel) {
      CHECK(max.at(channel).get<float>() == Approx(weight[channel].max().item<float>()));
    }
  }
}

TEST_CASE("an average goes on from a checkpoint as if it had never stopped", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const TrainOptions options{.ema_decay = kDecay};
  const auto whole = golden.load(true), before = golden.load(true);
  const auto whole_trainer = whole->trainer(options), before_trainer = before->trainer(options);
  train(*whole_trainer, golden, 0, 6);
  train(*before_trainer, golden, 0, 3);
  const auto after = test_engine().load(before->config(), before->tensors(), nullptr);
  const auto after_trainer = after->trainer(options);
  after_trainer->load_state(before_trainer->state());
  train(*after_trainer, golden, 3, 6);
  CHECK(same(whole->tensors(), after->tensors()));
  whole_trainer->exchange_average();
  after_trainer->exchange_average();
  CHECK(same(whole->tensors(), after->tensors()));
}

TEST_CASE("without an average there is none to exchange, and a checkpoint of one does not fit") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true), other = golden.load(true);
  const auto without = model->trainer({}), with = other->trainer({.ema_decay = kDecay});
  REQUIRE_THROWS_WITH(without->exchange_average(), ContainsSubstring("ema_decay is 0"));
  REQUIRE_THROWS_WITH(without->load_state(with->state()),
                      ContainsSubstring("unexpected \"wav2vec2.masked_spec_embed.average\""));
  REQUIRE_THROWS_WITH(with->load_state(without->state()),
                      ContainsSubstring("missing \"lm_head.bias.average\""));
}
