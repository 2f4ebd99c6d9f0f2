#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "model/model.h"
#include "model/torch/network/layers.h"
#include "model/torch/quantization/layer_json.h"
#include "tests/catch.h"

namespace flowqat::model {
namespace {

std::shared_ptr<LinearLayer> named_layer() {
  auto layer = std::make_shared<LinearLayer>(4, 3);
  layer->set_path("encoder.q_proj");
  layer->weight.detach().normal_();
  return layer;
}

std::shared_ptr<LinearLayer> calibrated(const std::string& scheme) {
  auto layer = named_layer();
  layer->insert_fake_quantizers(preset(scheme));
  layer->forward(at::randn({5, 4}));
  layer->set_fake_quantization(true);
  return layer;
}

/// The messages must name the layer and `part`.
template <typename Action>
void check_error(Action action, const std::string& part) {
  INFO(part);
  CHECK_THROWS_AS(action(), Error);
  CHECK_THROWS_WITH(action(), Catch::Matchers::ContainsSubstring("encoder.q_proj") &&
                                  Catch::Matchers::ContainsSubstring(part));
}

nlohmann::json changed(nlohmann::json state, const std::string& pointer,
                       const nlohmann::json& value) {
  state[nlohmann::json::json_pointer(pointer)] = value;
  return state;
}

}  // namespace

TEST_CASE("a layer that observed nothing cannot be fake-quantized or converted", "[level]") {
  const auto layer = named_layer();
  check_error([&] { layer->set_fake_quantization(true); }, "float one");
  check_error([&] { layer->convert_to_int8(); }, "float one");
  layer->insert_fake_quantizers(preset("qnnpack"));
  CHECK_FALSE(layer->observed());
  check_error([&] { layer->set_fake_quantization(true); }, "no batch was observed");
  check_error([&] { layer->convert_to_int8(); }, "calibrate first");
  layer->forward(at::randn({2, 4}));
  CHECK(layer->observed());
  check_error([&] { layer->convert_to_int8(); }, "calibrate first");
  check_error([&] { layer->insert_fake_quantizers(preset("qnnpack")); }, "a fake-quantized one");
  check_error([&] { layer->int8().kernel->weight(); }, "convert it first");
}

TEST_CASE("malformed fake-quantization state names layer and key and leaves the layer float",
          "[level]") {
  const auto good = layer_to_json(*calibrated("fbgemm"));
  const auto layer = named_layer();
  const auto refused = [&](const std::string& pointer, const nlohmann::json& value,
                           const std::string& part) {
    check_error([&] { load_fake_quantization(*layer, changed(good, pointer, value)); }, part);
    CHECK_FALSE(layer->is_fake_quantized());
    CHECK_THROWS_AS(layer->scheme(), Error);
  };
  refused("/input/scale", 0, "input.scale");
  refused("/input/scale", 1e60, "input.scale");
  refused("/input/scale", "1", "input.scale");
  refused("/input/zero_point", 256, "input.zero_point");
  refused("/output/zero_point", 1.5, "output.zero_point");
  refused("/output/max", nullptr, "output.max");
  refused("/output/max", -1e9, "output.max");
  refused("/weight/scale", {1.0, 2.0}, "3 numbers");
  refused("/weight/zero_point", {0, 0, 200}, "weight.zero_point");
  refused("/observers/weights", 1, "observers.weights");
  refused("/scheme/engine", "xnnpack", "scheme.engine");
  refused("/scheme/averaging_constant", 2, "scheme.averaging_constant");
  refused("/colour", "red", "unknown key \"colour\"");
  refused("/weight", 3, "weight: expected an object");
  check_error([&] { load_fake_quantization(*layer, nlohmann::json::object()); },
              "\"scheme\" is missing");
  load_fake_quantization(*layer, good);
  CHECK(layer->is_fake_quantized());
}

TEST_CASE("malformed int8 state and tensors name layer and key and leave the layer float",
          "[level]") {
  auto source = calibrated("fbgemm");
  source->convert_to_int8();
  const auto good = layer_to_json(*source);
  const auto weight = source->int8().kernel->weight(),
             scale = source->int8().kernel->weight_scale();
  const std::optional<at::Tensor> bias = source->bias;
  const auto layer = named_layer();
  const auto refused = [&](const std::string& pointer, const nlohmann::json& value,
                           const std::string& part) {
    const auto state = changed(good, pointer, value);
    check_error([&] { load_int8(*layer, state, weight, scale, bias); }, part);
    CHECK_FALSE(layer->is_int8());
  };
  refused("/bits", 4, "bits");
  refused("/activation_bits", 7, "activation_bits");
  refused("/scheme/weight_bits", 4, "bits");
  refused("/input/scale", -1, "input.scale");
  refused("/output/zero_point", -1, "output.zero_point");
  refused("/weight/zero_point", {0, 0}, "weight.zero_point");
  refused("/weight/scale", 0.5, "unknown key \"scale\"");
  refused("/scheme/symmetric_activations", "no", "scheme.symmetric_activations");

  const auto load = [&](const at::Tensor& w, const at::Tensor& s,
                        const std::optional<at::Tensor>& b) {
    return [=] { load_int8(*layer, good, w, s, b); };
  };
  check_error(load(weight.to(at::kFloat), scale, bias), "weight: expected Char of [3, 4]");
  check_error(load(weight.t(), scale, bias), "found Char of [4, 3]");
  check_error(load(weight, scale[0], bias), "weight_scale");
  check_error(load(weight, at::Tensor(), bias), "found no tensor");
  check_error(load(weight, scale * 0, bias), "weight_scale");
  check_error(load(weight, scale, std::nullopt), "bias: expected a tensor");
  check_error(load(weight, scale, at::zeros({4})), "bias");
  load(weight, scale, bias)();
  check_error(load(weight, scale, bias), "an int8 one");
}

TEST_CASE("a packed weight that does not fit what the layer's state says is refused", "[level]") {
  auto scheme = preset("fbgemm");
  scheme.weight_bits = 4;
  auto source = named_layer();
  source->insert_fake_quantizers(scheme);
  source->forward(at::randn({5, 4}));
  source->set_fake_quantization(true);
  source->convert_to_int8();
  const auto good = layer_to_json(*source);
  CHECK(good["bits"] == 4);
  CHECK(good["activation_bits"] == 8);
  CHECK(good["weight"]["shape"] == nlohmann::json{3, 4});
  const auto weight = at::zeros({3, 2}, at::kByte), scale = source->int8().kernel->weight_scale();
  const std::optional<at::Tensor> bias = source->bias;
  const auto layer = named_layer();
  const auto refused = [&](const nlohmann::json& state, const at::Tensor& stored,
                           const std::string& part) {
    check_error([&] { load_int8(*layer, state, stored, scale, bias); }, part);
  };
  refused(changed(good, "/weight/shape", {4, 3}), weight, "weight.shape: expected [3,4]");
  refused(changed(good, "/weight/zero_point", 8), weight, "weight.zero_point");
  refused(changed(good, "/activation_bits", 4), weight, "activation_bits");
  refused(good, weight.to(at::kChar), "weight: expected Byte of [3, 2]");
  refused(good, at::zeros({3, 4}, at::kByte), "found Byte of [3, 4]");
  auto silent = good;
  silent.erase("activation_bits");
  refused(silent, weight, "scheme: expected 8 bits");
  load_int8(*layer, good, weight, scale, bias);
  CHECK(layer->int8().kernel->weight().abs().max().item<int>() == 0);
}

TEST_CASE("presets are found by name, and an unknown one lists them", "[level]") {
  CHECK(preset_names() == std::vector<std::string>{"qnnpack", "qnnpack_symmetric", "fbgemm",
                                                   "qnnpack_clipped", "qnnpack_symmetric_clipped",
                                                   "w4a8", "w4a8_clipped", "w7"});
  CHECK(preset("qnnpack").engine == QuantEngine::qnnpack);
  CHECK_FALSE(preset("qnnpack").symmetric_activations);
  CHECK(preset("qnnpack_symmetric").symmetric_activations);
  CHECK_FALSE(preset("qnnpack_symmetric").per_channel_weights);
  CHECK(preset("fbgemm").engine == QuantEngine::fbgemm);
  CHECK(preset("fbgemm").per_channel_weights);
  CHECK_THROWS_WITH(preset("xnnpack"), Catch::Matchers::ContainsSubstring("xnnpack") &&
                                           Catch::Matchers::ContainsSubstring("qnnpack_symmetric"));
}

}  // namespace flowqat::model
