/// What a round's batches make of the ranges of fake quantizers: as much as one batch of them all.
#include <ATen/ops/equal.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include "model/torch/engine/torch_model.h"
#include "tests/model/engine/calibrated.h"

using namespace flowqat::model;

namespace {

std::unique_ptr<Model> observing(const Golden& golden) {
  auto model = calibrated(golden);
  model->set_activation_observers(true);
  return model;
}

std::vector<FakeQuantizer*> of_activations(Model& model) {
  std::vector<FakeQuantizer*> found;
  const auto& network = dynamic_cast<TorchModel&>(model).network();
  for (const auto& [name, module] : network.named_modules()) {
    auto* const quantizer = module->as<FakeQuantizer>();
    if (quantizer && quantizer->options().channels == 0) found.push_back(quantizer);
  }
  return found;
}

/// As loud as `factor` makes it.
struct Louder {
  std::vector<float> samples;
  AudioBatch batch;
  Louder(const AudioBatch& of, float factor) : batch(of) {
    for (const float sample : of.samples) samples.push_back(factor * sample);
    batch.samples = samples;
  }
};

}  // namespace

TEST_CASE("a round's ranges are the widest of what each batch makes of those it began with") {
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.batch();
  const Louder loud(all, 3), quiet(all, 0.2F);
  const auto begun = observing(golden), one = observing(golden), other = observing(golden);
  one->trainer({})->step(loud.batch, 1e-3, 1);
  other->trainer({})->step(quiet.batch, 1e-3, 2);
  // In either order, and with the same once more.
  const std::vector<std::vector<int>> rounds = {{0, 1}, {1, 0}, {1, 0, 1}};
  for (const std::vector<int>& batches : rounds) {
    const auto round = observing(golden);
    const auto trainer = round->trainer({.batches_per_step = static_cast<int64_t>(batches.size())});
    for (const int batch : batches) {
      trainer->accumulate(batch == 0 ? loud.batch : quiet.batch, batch == 0 ? 1 : 2);
    }
    trainer->update(1e-3);
    const auto found = of_activations(*round), first = of_activations(*one),
               second = of_activations(*other), before = of_activations(*begun);
    REQUIRE(found.size() > 20);
    int moved = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      CHECK(at::equal(found[i]->min_val(), at::minimum(first[i]->min_val(), second[i]->min_val())));
      CHECK(at::equal(found[i]->max_val(), at::maximum(first[i]->max_val(), second[i]->max_val())));
      moved += at::equal(found[i]->max_val(), before[i]->max_val()) ? 0 : 1;
      // The scale is that of the range, and not of the last batch's.
      FakeQuantizer again(found[i]->options());
      again.load_state(found[i]->state());
      again.set_fake_quantization(true);
      CHECK(at::equal(again.scale(), found[i]->scale()));
      CHECK(at::equal(again.zero_point(), found[i]->zero_point()));
    }
    CHECK(moved > 10);
  }
}

TEST_CASE("a round that is skipped leaves the ranges that it began with") {
  const Golden golden("wav2vec2_tiny");
  const auto begun = observing(golden), round = observing(golden);
  AudioBatch endless = golden.batch();
  endless.targets[0].assign(400, 1);
  const Louder loud(golden.batch(), 3);
  const auto trainer = round->trainer({.batches_per_step = 2, .zero_infinity = false});
  trainer->accumulate(loud.batch, 1);
  trainer->accumulate(endless, 2);
  trainer->update(1e-3);
  REQUIRE(trainer->metrics().skipped == 1);
  CHECK(round->quantization() == begun->quantization());
}

TEST_CASE("ranges that do not follow stay as they are in a round of several batches") {
  const Golden golden("wav2vec2_tiny");
  const auto begun = calibrated(golden), round = calibrated(golden);
  const auto trainer = round->trainer({.batches_per_step = 2});
  trainer->accumulate(Louder(golden.batch(), 3).batch, 1);
  trainer->accumulate(golden.batch(), 2);
  trainer->update(1e-3);
  const auto found = of_activations(*round), before = of_activations(*begun);
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(at::equal(found[i]->max_val(), before[i]->max_val()));
    CHECK(at::equal(found[i]->scale(), before[i]->scale()));
  }
}
