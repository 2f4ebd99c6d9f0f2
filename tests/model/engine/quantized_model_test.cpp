// A whole model's way from float over fake quantization to int8; the layers have tests of their
// own.
#include <ATen/ops/equal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/engine/calibrated.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

std::unique_ptr<Model> reloaded(const Model& model) {
  // Through text, as a file would: every number must survive it.
  const auto json = nlohmann::json::parse(model.quantization().dump());
  return test_engine().load(model.config(), model.tensors(), json);
}

}  // namespace

TEST_CASE("fake quantizers change nothing before calibration ends, and little behind it",
          "[level]") {
  const Golden golden(either_golden());
  const auto model = golden.load(true);
  Policy unclipped;
  unclipped.feature_extractor = preset("qnnpack");
  model->insert_fake_quantizers(unclipped);
  CHECK(model->precision() == Precision::fake_quantized);
  CHECK(largest_difference(scores(*model, golden), golden["masked_logits"]) < 1e-4);
  model->observe(golden.batch());
  CHECK(largest_difference(scores(*model, golden), golden["masked_logits"]) < 1e-4);
  model->finish_calibration();
  const double change = largest_difference(scores(*model, golden), golden["masked_logits"]);
  CHECK(change > 1e-4);
  CHECK(change < 0.5);
}

TEST_CASE("the policy alone decides which layers are quantized", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto layers = [&](const Policy& policy) {
    return calibrated(golden, policy)->quantization()["layers"];
  };
  const auto policy = [](const char* text) {
    return policy_from_json(nlohmann::json::parse(text), "policy");
  };
  CHECK(layers({}).size() == 3 + 2 * 6);
  CHECK(layers(policy(R"({"feature_extractor": "none"})")).size() == 2 * 6);
  CHECK(layers(policy(R"({"attention": "none", "feed_forward": "none"})")).size() == 3);
  CHECK(layers(policy(R"({"feature_projection": "fbgemm", "positional_conv": "fbgemm",
                          "head": "fbgemm"})"))
            .size() == 3 + 1 + 1 + 2 * 6 + 1);
  const auto some = layers(policy(R"({"exceptions": [
      {"match": "*.conv_layers.[01].conv", "choice": "none"},
      {"match": "*.1.conv", "choice": {"preset": "fbgemm", "weight_bits": 4}}]})"));
  CHECK_FALSE(some.contains("wav2vec2.feature_extractor.conv_layers.0.conv"));
  CHECK(some["wav2vec2.feature_extractor.conv_layers.1.conv"]["scheme"]["weight_bits"] == 4);
  const auto model = golden.load(true);
  REQUIRE_THROWS_WITH(
      model->insert_fake_quantizers(
          policy(R"({"feature_extractor": "none", "attention": "none", "feed_forward": "none"})")),
      ContainsSubstring("leaves every layer in float"));
  REQUIRE_THROWS_WITH(model->insert_fake_quantizers(policy(
                          R"({"exceptions": [{"match": "*.conv_layer.*", "choice": "none"}]})")),
                      ContainsSubstring("\"*.conv_layer.*\" matches no layer"));
  CHECK(model->precision() == Precision::float32);
}

TEST_CASE("the int8 model speaks as the fake-quantized one that it was converted from", "[level]") {
  const Golden golden(either_golden());
  const auto model = calibrated(golden);
  const at::Tensor fake = scores(*model, golden);
  const auto int8 = model->convert();
  CHECK(int8->precision() == Precision::int8);
  CHECK(int8->parameter_count() == model->parameter_count());
  const double from_float = largest_difference(fake, golden["masked_logits"]);
  CHECK(largest_difference(scores(*int8, golden), fake) < from_float);
  CHECK(at::equal(scores(*model, golden), fake));  // conversion left the original as it was
}

TEST_CASE("fake-quantized and int8 models come back from their files bit for bit", "[level]") {
  const Golden golden(either_golden());
  const nlohmann::json choices[] = {
      "qnnpack",
      "qnnpack_symmetric",
      "fbgemm",
      "qnnpack_symmetric_clipped",
      {{"preset", "qnnpack"}, {"smoothing", 0.5}},
      {{"preset", "qnnpack"}, {"learned_step", true}, {"range", "mse"}},
      {{"preset", "fbgemm"}, {"symmetric_weights", false}},
      {{"preset", "qnnpack_clipped"}, {"weight_bits", 4}, {"activation_bits", 6}},
      {{"preset", "qnnpack"}, {"weight_bits", 7}, {"symmetric_weights", false}}};
  for (const nlohmann::json& convolutions : choices) {
    INFO(convolutions);
    Policy policy;
    policy.feature_extractor = choice_from_json(convolutions, "policy");
    policy.feature_projection = policy.positional_conv = policy.head = preset("fbgemm");
    const auto fake = calibrated(golden, policy);
    const auto int8 = fake->convert();
    for (const Model* model : {fake.get(), int8.get()}) {
      const auto again = reloaded(*model);
      CHECK(again->precision() == model->precision());
      CHECK(at::equal(scores(*again, golden), scores(*model, golden)));
      CHECK(same(again->tensors(), model->tensors()));
      CHECK(again->quantization() == model->quantization());
      const auto clone = model->clone();
      CHECK(at::equal(scores(*clone, golden), scores(*model, golden)));
      CHECK(clone->quantization() == model->quantization());
    }
  }
}

TEST_CASE("an int8 model's tensors are int8 weights and their scales", "[level]") {
  const Golden golden("wav2vec2_tiny");
  Policy policy;
  policy.feature_extractor = preset("qnnpack");
  const auto tensors = by_name(calibrated(golden, policy)->convert()->tensors());
  const std::string q = "wav2vec2.encoder.layers.0.attention.q_proj.";
  CHECK(tensors.at(q + "weight").dtype == "I8");
  CHECK(tensors.at(q + "weight_scale").shape == std::vector<int64_t>{32});
  CHECK(tensors.at(q + "bias").dtype == "F32");
  CHECK(tensors.at("wav2vec2.feature_extractor.conv_layers.1.conv.weight").dtype == "I8");
  CHECK_FALSE(tensors.contains("wav2vec2.feature_extractor.conv_layers.1.conv.weight_scale"));
  CHECK(tensors.at("lm_head.weight").dtype == "F32");
}

TEST_CASE("fewer than 8 bits train and ship, four of them two a byte", "[level]") {
  const Golden golden("wav2vec2_tiny");
  Policy policy;
  policy.attention = choice_from_json({{"preset", "fbgemm"}, {"weight_bits", 4}}, "policy");
  const auto model = calibrated(golden, policy);
  CHECK(model->quantization()["version"] == 2);  // a fake-quantized folder always could
  model->trainer({})->step(golden.batch(), 1e-3, 1);
  const auto int8 = model->convert();
  CHECK(largest_difference(scores(*int8, golden), scores(*model, golden)) <
        0.25 * largest_difference(scores(*model, golden), golden["masked_logits"]));
  CHECK(int8->quantization()["version"] == 3);
  CHECK(calibrated(golden)->convert()->quantization()["version"] == 2);
  const auto tensors = by_name(int8->tensors());
  const std::string q = "wav2vec2.encoder.layers.0.attention.q_proj.";
  CHECK(tensors.at(q + "weight").dtype == "U8");
  CHECK(tensors.at(q + "weight").shape == std::vector<int64_t>{32, 16});
  CHECK(tensors.at("wav2vec2.encoder.layers.0.feed_forward.output_dense.weight").dtype == "I8");
  CHECK(int8->parameter_count() == model->parameter_count());
}

TEST_CASE("fake quantization of chosen layers alone", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden);
  const at::Tensor all = scores(*model, golden);
  model->fake_quantize_only({"wav2vec2.feature_extractor.conv_layers.1.conv"});
  const at::Tensor one = scores(*model, golden);
  model->fake_quantize_only({});
  CHECK(largest_difference(scores(*model, golden), golden["masked_logits"]) < 1e-4);
  CHECK(largest_difference(one, golden["masked_logits"]) > 1e-4);
  CHECK_FALSE(at::equal(one, all));
  model->set_fake_quantization(true);
  CHECK(at::equal(scores(*model, golden), all));
  REQUIRE_THROWS_WITH(model->fake_quantize_only({"lm_head"}), ContainsSubstring("\"lm_head\""));
}

TEST_CASE("the positional convolution's weight may be stored in half precision", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto fake = calibrated(golden);
  const auto whole = fake->convert(), half = fake->convert({.half_positional_conv = true});
  const std::string name = "wav2vec2.encoder.pos_conv_embed.conv.weight";
  CHECK(by_name(whole->tensors()).at(name).dtype == "F32");
  CHECK(by_name(half->tensors()).at(name).dtype == "F16");
  const auto again = reloaded(*half);
  CHECK(at::equal(scores(*again, golden), scores(*half, golden)));
  CHECK(same(again->tensors(), half->tensors()));
}

TEST_CASE("quantization-aware training goes on from its files bit for bit", "[level]") {
  const Golden golden(either_golden());
  const bool learned_step = GENERATE(false, true);
  Policy policy;
  policy.feature_extractor->learned_step = learned_step;
  const auto train = [&](Trainer& trainer, uint64_t first, uint64_t last) {
    for (uint64_t i = first; i < last; ++i) trainer.step(golden.masked_batch(), 1e-3, i);
  };
  const auto whole = calibrated(golden, policy);
  whole->set_activation_observers(true);
  const auto whole_trainer = whole->trainer({.clip_norm = 1});
  train(*whole_trainer, 0, 2);

  const auto resumed = reloaded(*whole);
  const auto resumed_trainer = resumed->trainer({.clip_norm = 1});
  resumed_trainer->load_state(whole_trainer->state());
  train(*whole_trainer, 2, 4);
  train(*resumed_trainer, 2, 4);
  CHECK(same(whole->tensors(), resumed->tensors()));
  CHECK(whole->quantization() == resumed->quantization());
  CHECK(largest_difference(scores(*whole->convert(), golden), scores(*whole, golden)) < 0.2);
}

TEST_CASE("frozen activation observers keep their ranges while weights' follow", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden);
  const std::string name = "wav2vec2.encoder.layers.1.attention.v_proj";
  const auto layer = [&] { return model->quantization()["layers"][name]; };
  const auto before = layer();
  const auto trainer = model->trainer({});
  trainer->step(golden.batch(), 1e-2, 1);
  trainer->step(golden.batch(), 1e-2, 2);
  const auto frozen = layer();
  CHECK(frozen["input"] == before["input"]);
  CHECK(frozen["weight"] != before["weight"]);
  model->set_activation_observers(true);
  trainer->step(golden.batch(), 1e-2, 3);
  const auto observed = layer();
  CHECK(observed["input"] != before["input"]);
  model->infer(golden.batch());  // inference observes nothing
  CHECK(layer() == observed);
}

TEST_CASE("steps out of order are refused, saying what comes first", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  REQUIRE_THROWS_WITH(model->observe(golden.batch()), ContainsSubstring("insert them first"));
  REQUIRE_THROWS_WITH(model->finish_calibration(), ContainsSubstring("insert them first"));
  REQUIRE_THROWS_WITH(model->set_activation_observers(true), ContainsSubstring("insert them"));
  REQUIRE_THROWS_WITH(model->convert(), ContainsSubstring("this one is float"));
  model->insert_fake_quantizers({});
  REQUIRE_THROWS_WITH(model->insert_fake_quantizers({}), ContainsSubstring("already quantized"));
  REQUIRE_THROWS_WITH(model->trainer({}), ContainsSubstring("calibrate it before training"));
  REQUIRE_THROWS_WITH(model->convert(), ContainsSubstring("not calibrated"));
  REQUIRE_THROWS_WITH(model->finish_calibration(),
                      ContainsSubstring("conv_layers.0.conv") && ContainsSubstring("no audio"));
  model->observe(golden.batch());
  model->finish_calibration();
  const auto int8 = model->convert();
  REQUIRE_THROWS_WITH(int8->trainer({}), ContainsSubstring("int8 model cannot be trained"));
  REQUIRE_THROWS_WITH(int8->convert(), ContainsSubstring("int8 already"));
}

TEST_CASE("a quantization file that does not fit is refused, naming the field or layer",
          "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden)->convert();
  const auto load = [&](const nlohmann::json& quantization) {
    return test_engine().load(model->config(), model->tensors(), quantization);
  };
  auto json = model->quantization();
  json["format"] = "another";
  REQUIRE_THROWS_WITH(load(json), ContainsSubstring("field \"format\" must be") &&
                                      ContainsSubstring("found \"another\""));
  REQUIRE_THROWS_WITH(load(nlohmann::json::object()), "quantization: field \"format\" is missing");
  json = model->quantization();
  json["version"] = 4;
  REQUIRE_THROWS_WITH(load(json),
                      ContainsSubstring("version 4") && ContainsSubstring("newer flowqat: update"));
  json["version"] = 1;
  REQUIRE_THROWS_WITH(load(json), ContainsSubstring("version 1, this program reads versions 2 and "
                                                    "3; make the folder again"));
  json = model->quantization();
  json["layers"]["wav2vec2.encoder.layers.0.attention.q_proj"]["scheme"]["engine"] = "qnnpack";
  REQUIRE_THROWS_WITH(load(json), ContainsSubstring("another scheme in"));
  json = model->quantization();
  json["layers"].erase("wav2vec2.encoder.layers.0.attention.q_proj");
  json["layers"]["lm_head"] = {};
  REQUIRE_THROWS_WITH(load(json),
                      ContainsSubstring("missing \"wav2vec2.encoder.layers.0.attention.q_proj\"") &&
                          ContainsSubstring("unexpected \"lm_head\""));
  json = model->quantization();
  json.erase("policy");
  REQUIRE_THROWS_WITH(load(json), "quantization: field \"policy\" is missing");
}
