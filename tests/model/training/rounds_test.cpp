/// Updates of several batches: their gradient, and going on in the middle of one.
#include <nlohmann/json.hpp>

#include "model/batch.h"
#include "model/torch/base/state_dict.h"
#include "tests/model/engine/calibrated.h"

using namespace flowqat::model;

namespace {

TrainOptions options_of(CtcReduction reduction, int64_t batches, bool taught) {
  return {.batches_per_step = batches,
          .clip_norm = 0.5,
          .reduction = reduction,
          .distillation_weight = taught ? 0.7 : 0.0,
          .distillation_temperature = 2};
}

/// Draws as it trains, and follows what it sees.
std::unique_ptr<Model> quantized(const Golden& golden) {
  Config config = golden.config;
  config.attention_mask = true;
  config.hidden_dropout = config.attention_dropout = 0.2;
  config.layerdrop = 0.4;
  auto model = test_engine().load(config, golden.weights, nullptr);
  model->insert_fake_quantizers({});
  model->observe(golden.batch());
  model->finish_calibration();
  model->set_activation_observers(true);
  return model;
}

}  // namespace

TEST_CASE("one batch and the same rows as two have one gradient, loss and norm", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto reduction = GENERATE(CtcReduction::mean, CtcReduction::utterances,
                                  CtcReduction::characters, CtcReduction::sum);
  const bool is_taught = GENERATE(false, true);
  INFO("reduction " << static_cast<int>(reduction) << ", taught " << is_taught);
  const std::shared_ptr<Model> teacher =
      is_taught ? test_engine().create(golden.config, 11) : nullptr;
  const AudioBatch all = golden.masked_batch();
  REQUIRE(all.rows == 3);
  REQUIRE(all.targets[0].size() != all.targets[2].size());

  const auto whole = golden.load(true), parted = golden.load(true);
  const auto at_once = whole->trainer(options_of(reduction, 1, is_taught), teacher);
  at_once->step(all, 1e-3, 1);
  const auto in_parts = parted->trainer(options_of(reduction, 2, is_taught), teacher);
  in_parts->accumulate(rows_of(all, 0, 2), 1);
  in_parts->accumulate(rows_of(all, 2, 1), 2);
  in_parts->update(1e-3);

  const TrainMetrics expected = at_once->metrics(), found = in_parts->metrics();
  CHECK(found.steps == 1);
  CHECK(found.loss == Approx(expected.loss).epsilon(1e-6));
  CHECK(found.gradient_norm == Approx(expected.gradient_norm).epsilon(1e-5));
  // The first moments are the clipped gradients' tenth part. The sums are the same but for their
  // order in float32: a few units in the last place of the largest terms.
  const auto wanted = by_name(at_once->state());
  for (const Tensor& tensor : in_parts->state()) {
    if (!tensor.name.ends_with(".exp_avg")) continue;
    INFO(tensor.name);
    const at::Tensor gradient = from_tensor(wanted.at(tensor.name));
    const double largest = gradient.abs().max().item<double>();
    CHECK(largest_difference(from_tensor(tensor), gradient) <= 1e-5 * largest + 1e-9);
  }
}

TEST_CASE("a round that stopped between its batches goes on with the same bits", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const bool is_taught = GENERATE(false, true);
  const std::shared_ptr<Model> teacher =
      is_taught ? test_engine().create(golden.config, 11) : nullptr;
  const TrainOptions options = options_of(CtcReduction::characters, 3, is_taught);
  const AudioBatch all = golden.masked_batch();
  const auto train = [&](Trainer& trainer, int64_t first, int64_t last) {
    for (int64_t batch = first; batch < last; ++batch) {
      trainer.accumulate(rows_of(all, batch % 3, 1), static_cast<uint64_t>(batch));
      if (batch % 3 == 2) trainer.update(1e-3);
    }
  };
  const auto whole = quantized(golden), before = quantized(golden);
  const auto whole_trainer = whole->trainer(options, teacher);
  train(*whole_trainer, 0, 9);

  for (const int64_t stop : {1, 4, 5}) {
    INFO("stopped behind batch " << stop);
    const auto stopped = quantized(golden);
    const auto stopped_trainer = stopped->trainer(options, teacher);
    train(*stopped_trainer, 0, stop);
    const auto after =
        test_engine().load(stopped->config(), stopped->tensors(), stopped->quantization());
    after->set_activation_observers(true);
    const auto after_trainer = after->trainer(options, teacher);
    after_trainer->load_state(stopped_trainer->state());
    CHECK(same(stopped_trainer->state(), after_trainer->state()));
    train(*after_trainer, stop, 9);
    CHECK(same(whole->tensors(), after->tensors()));
    CHECK(whole->quantization() == after->quantization());
    CHECK(same(whole_trainer->state(), after_trainer->state()));
  }
}

TEST_CASE("a round has no more batches than it was said to have", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto trainer = model->trainer({.batches_per_step = 2});
  trainer->update(1e-3);  // of nothing
  CHECK(trainer->metrics().steps == 0);
  trainer->accumulate(golden.batch(), 1);
  trainer->accumulate(golden.batch(), 2);
  REQUIRE_THROWS_WITH(trainer->accumulate(golden.batch(), 3),
                      ContainsSubstring("a round has 2 batches"));
  trainer->update(1e-3);
  trainer->accumulate(golden.batch(), 3);
  trainer->update(1e-3);  // of one alone
  CHECK(trainer->metrics().steps == 2);
}
