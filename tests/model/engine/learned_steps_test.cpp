// Grids whose steps are learned, in a whole model.
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

TEST_CASE("learned steps are evaluated, saved and loaded as the last update left them") {
  const Golden golden(either_golden());
  LayerScheme learned = preset("fbgemm");
  learned.learned_step = true;
  Policy policy;
  policy.feature_extractor = policy.attention = learned;
  const auto model = calibrated(golden, policy);
  model->set_activation_observers(true);
  const auto trainer = model->trainer({});
  for (uint64_t step = 0; step < 2; ++step) trainer->step(golden.batch(), 1e-2, step);
  CHECK(largest_difference(scores(*model, golden), scores(*reloaded(*model), golden)) == 0);
}

TEST_CASE("learned steps follow what is observed until rounding begins", "[level]") {
  const Golden golden(either_golden());
  LayerScheme learned = preset("fbgemm");
  learned.learned_step = true;
  learned.averaging_constant = 0.5;
  Policy policy;
  policy.feature_extractor = policy.attention = learned;
  LayerScheme followed = learned;
  followed.learned_step = false;
  Policy without = policy;
  without.feature_extractor = without.attention = followed;
  // The ranges of a model that learns no steps follow in the same way: until they begin to be
  // learned, the steps are what those ranges make of them.
  nlohmann::json layers[2];
  for (const bool learns : {false, true}) {
    const auto model = calibrated(golden, learns ? policy : without);
    model->set_fake_quantization(false);
    model->set_activation_observers(true);
    const auto before = model->quantization().at("layers");
    const auto trainer = model->trainer({});
    for (uint64_t step = 0; step < 4; ++step) trainer->step(golden.batch(), 1e-2, step);
    model->set_fake_quantization(true);
    layers[learns] = model->quantization().at("layers");
    CHECK(layers[learns] != before);
  }
  int compared = 0;
  for (const auto& [name, layer] : layers[true].items()) {
    for (const char* const tensor : {"input", "weight", "output"}) {
      INFO(name << ", " << tensor);
      const nlohmann::json &found = layer.at(tensor), &expected = layers[false][name][tensor];
      CHECK(found.at("min") == expected.at("min"));
      CHECK(found.at("max") == expected.at("max"));
      CHECK(found.at("zero_point") == expected.at("zero_point"));
      const auto scales = [](const nlohmann::json& quantizer) {
        const nlohmann::json& scale = quantizer.at("scale");
        return scale.is_array() ? scale.get<std::vector<double>>()
                                : std::vector<double>{scale.get<double>()};
      };
      const std::vector<double> a = scales(found), b = scales(expected);
      REQUIRE(a.size() == b.size());
      for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-5));
      ++compared;
    }
  }
  CHECK(compared == 3 * static_cast<int>(layers[false].size()));
}

TEST_CASE("queries, keys and values learn one step for their one input", "[level]") {
  const Golden golden("wav2vec2_tiny");
  LayerScheme learned = preset("fbgemm");
  learned.learned_step = true;
  Policy policy;
  policy.attention = learned;
  const auto model = calibrated(golden, policy);
  const auto copied = model->clone(), loaded = reloaded(*model);
  for (Model* const trained : {model.get(), copied.get(), loaded.get()}) {
    trained->set_activation_observers(true);
    const auto trainer = trained->trainer({});
    for (uint64_t step = 0; step < 3; ++step) trainer->step(golden.batch(), 1e-2, step);
    int steps = 0;
    for (const Tensor& tensor : trainer->state()) {
      steps += tensor.name.ends_with("_proj.input_fake_quantizer.log_scale.step");
    }
    CHECK(steps == 2 * 2);  // a layer's one for q, k and v, and that of its out_proj
    const auto layers = trained->quantization().at("layers");
    const auto int8 = trained->convert()->quantization().at("layers");
    for (const std::string layer : {"0", "1"}) {
      const std::string prefix = "wav2vec2.encoder.layers." + layer + ".attention.";
      const auto input = [&](const nlohmann::json& all, const char* name) {
        return all.at(prefix + name).at("input");
      };
      CHECK(input(layers, "q_proj") == input(layers, "k_proj"));
      CHECK(input(layers, "q_proj") == input(layers, "v_proj"));
      CHECK(input(int8, "q_proj") == input(int8, "v_proj"));
      CHECK(layers.at(prefix + "q_proj").at("output") != layers.at(prefix + "k_proj").at("output"));
    }
  }
  CHECK(same(model->tensors(), copied->tensors()));
  CHECK(same(model->tensors(), loaded->tensors()));
}
