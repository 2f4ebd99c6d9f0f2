#include <nlohmann/json.hpp>
#include <vector>

#include "tests/catch.h"
#include "tests/model/engine/calibrated.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

TEST_CASE("channels are smoothed by all that calibration heard, q, k and v by one factor",
          "[level]") {
  const Golden golden(either_golden());
  Policy policy;
  policy.attention->smoothing = 0.5;
  AudioBatch first = golden.batch(), second = golden.batch();
  std::vector<float> louder(first.samples.begin(), first.samples.end());
  for (size_t i = 0; i < louder.size(); i += 3) louder[i] *= -2;
  second.samples = louder;
  const auto factors = [&](const std::vector<AudioBatch>& heard) {
    const auto model = golden.load(true);
    model->insert_fake_quantizers(policy);
    REQUIRE(model->needs_second_pass());
    for (const AudioBatch& batch : heard) model->observe(batch);
    REQUIRE_THROWS_WITH(model->finish_calibration(), ContainsSubstring("a second pass"));
    CHECK(largest_difference(scores(*model, golden), golden["masked_logits"]) < 1e-4);
    model->begin_second_pass();
    CHECK_FALSE(model->needs_second_pass());
    REQUIRE_THROWS_WITH(model->begin_second_pass(), ContainsSubstring("smooths no channels"));
    for (const AudioBatch& batch : heard) model->observe(batch);
    model->finish_calibration();
    return model->quantization()["layers"];
  };
  const std::string at = "wav2vec2.encoder.layers.1.attention.";
  const auto alone = factors({first}), both = factors({first, second}),
             turned = factors({second, first});
  for (const auto* layers : {&alone, &both}) {
    const auto& q = layers->at(at + "q_proj");
    REQUIRE(q.at("input_factor").is_array());
    for (const char* other : {"k_proj", "v_proj"}) {
      CHECK(layers->at(at + other).at("input_factor") == q.at("input_factor"));
      CHECK(layers->at(at + other).at("input") == q.at("input"));
    }
    CHECK(layers->at(at + "out_proj").at("input_factor") != q.at("input_factor"));
  }
  CHECK(both.at(at + "q_proj").at("input_factor") != alone.at(at + "q_proj").at("input_factor"));
  CHECK(both.at(at + "q_proj").at("input_factor") == turned.at(at + "q_proj").at("input_factor"));
  CHECK(alone.at("wav2vec2.encoder.layers.1.feed_forward.output_dense")["input_factor"].is_null());

  // And they still share it after training, in which the observers follow.
  const auto model = calibrated(golden, policy);
  model->set_activation_observers(true);
  const auto trainer = model->trainer({});
  for (uint64_t step = 0; step < 2; ++step) trainer->step(golden.batch(), 1e-3, step);
  const auto layers = model->convert()->quantization()["layers"];
  for (const char* other : {"k_proj", "v_proj"}) {
    CHECK(layers.at(at + other).at("input") == layers.at(at + "q_proj").at("input"));
  }
}
