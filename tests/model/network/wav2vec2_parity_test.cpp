// The network against transformers' numbers, without training.
#include "model/torch/base/state_dict.h"
#include "model/torch/network/batch.h"
#include "model/torch/training/loss.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

TEST_CASE("logits equal transformers', with and without an attention mask", "[level]") {
  for (const char* name : {"wav2vec2_tiny", "wav2vec2_variant", "wav2vec2_layer_norm"}) {
    const Golden golden(name);
    for (const bool attention_mask : {false, true}) {
      INFO(name << ", attention mask " << attention_mask);
      const Logits logits = golden.load(attention_mask)->infer(golden.batch());
      const at::Tensor& expected = golden[attention_mask ? "masked_logits" : "logits"];
      CHECK(largest_difference(as_tensor(logits), expected) < 1e-4);
    }
  }
}

TEST_CASE("logits tell how many frames of a row are speech", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const Logits logits = golden.load(false)->infer(golden.batch());
  CHECK(logits.lengths_frames == std::vector<int64_t>{49, 36, 19});
  CHECK(logits.frames == 49);
}

TEST_CASE("the rows of a batch do not see each other", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const AudioBatch all = golden.batch();
  AudioBatch one;
  one.rows = 1;
  one.padded_samples = all.padded_samples;
  one.samples = all.samples.subspan(static_cast<size_t>(all.padded_samples), 1000);
  one.lengths_samples = {all.lengths_samples[1]};
  const at::Tensor together = as_tensor(model->infer(all))[1].slice(0, 0, 36);
  const at::Tensor alone = as_tensor(model->infer(one))[0].slice(0, 0, 36);
  CHECK(largest_difference(together, alone) < 1e-5);
}

TEST_CASE("the CTC loss equals PyTorch's in each reduction", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const std::pair<CtcReduction, const char*> reductions[] = {
      {CtcReduction::mean, "mean"},
      {CtcReduction::sum, "sum"},
      {CtcReduction::characters, "characters"}};
  for (const std::string logits : {"logits", "masked_logits"}) {
    for (const auto& [reduction, name] : reductions) {
      INFO(logits << ", " << name);
      const TrainingBatch batch = training_batch(golden.config, golden.batch(), at::kCPU);
      const CtcLoss loss =
          ctc_loss(golden[logits], batch.frames, batch.targets, 0, reduction, true);
      CHECK(loss.infinite.item<int64_t>() == 0);
      CHECK(loss.value.item<double>() ==
            Approx(golden[logits + "." + name].item<double>()).epsilon(1e-5));
    }
  }
}

TEST_CASE("gradients equal PyTorch's, in both families", "[level]") {
  const Golden golden(GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm"));
  const auto model = golden.load(true);
  TorchModel& torch_model = inside(*model);
  const TrainingBatch batch = training_batch(model->config(), golden.batch(), at::kCPU);
  const at::Tensor logits = torch_model.network().forward(batch.input);
  ctc_loss(logits, batch.frames, batch.targets, 0, CtcReduction::mean, true).value.backward();
  int compared = 0;
  for (const auto& [name, value] : torch_model.network().named_parameters()) {
    const auto expected = golden.values.find("gradient." + published_name(name));
    if (expected == golden.values.end()) continue;
    INFO(name);
    const double scale = expected->second.abs().max().item<double>();
    CHECK(largest_difference(value.grad(), expected->second) < 1e-4 * scale);
    ++compared;
  }
  CHECK(compared == 10);
}

TEST_CASE("a batch that contradicts itself is refused, naming the row", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  AudioBatch batch = golden.batch();
  batch.lengths_samples[2] = 20;
  REQUIRE_THROWS_WITH(model->infer(batch),
                      ContainsSubstring("row 2 has 20 samples, too few for one frame: give at "
                                        "least 30"));
  batch.lengths_samples[2] = 1001;
  REQUIRE_THROWS_WITH(model->infer(batch), ContainsSubstring("row 2 has 1001 samples, more than"));
  batch.lengths_samples.pop_back();
  REQUIRE_THROWS_WITH(model->infer(batch), ContainsSubstring("lengths_samples has 2 rows"));
  batch.padded_samples = 7;
  REQUIRE_THROWS_WITH(model->infer(batch), ContainsSubstring("3000 samples are not 3 rows of 7"));
}
