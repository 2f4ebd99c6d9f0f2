#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#ifdef __x86_64__
#include <fbgemm/Utils.h>
#endif

#include <thread>
#include <vector>

#include "model/model.h"
#include "model/torch/network/layers.h"
#include "tests/catch.h"
#include "tests/model/quantization/quantized_layers.h"

namespace flowqat::model {

using namespace testing;

TEST_CASE("int8 layers are within one output step of the fake-quantized ones", "[level]") {
  at::manual_seed(3);
  for (const auto& name : preset_names()) {
    for (const bool per_channel : {false, true}) {
      auto scheme = preset(name);
      scheme.per_channel_weights = per_channel;
      for (const auto& shape : shapes()) {
        INFO(name << ", " << shape.name << (per_channel ? ", per channel" : ", per tensor"));
        const auto layer = calibrated_layer(shape, scheme);
        const auto int8 = converted(shape, *layer);
        REQUIRE(int8->is_int8());
        CHECK_FALSE(int8->weight.defined());
        const auto x = on_input_grid(input(shape), layer_to_json(*int8));
        const auto expected = forward(*layer, x), found = forward(*int8, x);
        REQUIRE(found.sizes() == expected.sizes());
        CHECK(most_steps_apart(found, expected, layer_to_json(*int8)["output"]["scale"]) <= 1);
        CHECK(expected.std(false).item<float>() > 0);
      }
    }
  }
}

TEST_CASE("int8 layers of fewer bits are within one step of the fake-quantized ones, on their grid",
          "[level]") {
  at::manual_seed(15);
  const int activation_bits = GENERATE(4, 6, 8);
  for (const int bits : {4, 5, 6, 7, 8}) {
    for (const bool symmetric : {false, true}) {
      auto scheme = preset("qnnpack_clipped");
      scheme.percentile = 97;  // so that there is something beyond the grid
      scheme.weight_bits = bits;
      scheme.activation_bits = activation_bits;
      scheme.symmetric_activations = symmetric;
      for (const auto& shape : shapes()) {
        INFO(shape.name << ", weights of " << bits << " bits, activations of "
                        << scheme.activation_bits);
        const auto layer = calibrated_layer(shape, scheme);
        const auto int8 = converted(shape, *layer);
        const auto state = layer_to_json(*int8);
        const auto x = on_input_grid(2 * input(shape), state);
        const auto expected = forward(*layer, x), found = forward(*int8, x);
        const float step = state["output"]["scale"];
        CHECK(most_steps_apart(found, expected, step) <= 1);
        // Both ends of input and output are those of the fake quantizers.
        const auto far = 50 * input(shape), y = forward(*int8, far);
        CHECK(at::equal(y, forward(*int8, on_input_grid(far, state))));
        const auto steps = (y / step).round() + state["output"]["zero_point"].get<int64_t>();
        CHECK(steps.max().item<int64_t>() <= activation_grid(activation_bits).highest);
        CHECK(steps.min().item<int64_t>() >= 0);
        const auto weight = int8->int8().kernel->weight();
        CHECK(weight.max().item<int>() <= weight_grid(bits).highest);
        CHECK(weight.min().item<int>() >= weight_grid(bits).lowest);
        const auto loaded = reloaded_int8(shape, *int8);
        CHECK(at::equal(forward(*loaded, x), found));
        CHECK(layer_to_json(*loaded) == state);
      }
    }
  }
}

#ifdef __x86_64__
TEST_CASE("processors on which FBGEMM's sums saturate get its layers computed right all the same",
          "[level]") {
  at::manual_seed(3);
  const auto shape = conv(16, 24, 3, 2, false, 3, 41);
  auto scheme = preset("fbgemm");
  scheme.per_channel_weights = true;
  const auto layer = calibrated_layer(shape, scheme);
  const fbgemm::inst_set_t used = fbgemm::fbgemmInstructionSet();
  fbgemm::fbgemmForceIsa(fbgemm::inst_set_t::avx2);
  const auto int8 = converted(shape, *layer);
  const auto x = on_input_grid(input(shape), layer_to_json(*int8));
  const auto found = forward(*int8, x);
  const auto weight = int8->int8().kernel->weight();
  fbgemm::fbgemmForceIsa(used);
  CHECK(most_steps_apart(found, forward(*layer, x), layer_to_json(*int8)["output"]["scale"]) <= 1);
  CHECK(at::equal(weight, converted(shape, *layer)->int8().kernel->weight()));
  CHECK(layer_to_json(*int8)["scheme"]["engine"] == "fbgemm");
}
#endif

TEST_CASE("fake-quantized layers pass gradients to weight, bias and input", "[level]") {
  at::manual_seed(4);
  const auto shape = conv(4, 6, 3, 2, true, 2, 15);
  const auto layer = calibrated_layer(shape, preset("fbgemm"));
  const auto x = input(shape).requires_grad_();
  dynamic_cast<Conv1dLayer&>(*layer).forward(x).square().sum().backward();
  CHECK(x.grad().abs().sum().item<float>() > 0);
  CHECK(layer->weight.grad().abs().sum().item<float>() > 0);
  CHECK(layer->bias.grad().abs().sum().item<float>() > 0);
}

TEST_CASE("layers packed for both engines run side by side under any global engine", "[level]") {
  at::manual_seed(5);
  const auto shape = conv(8, 12, 3, 2, true, 2, 31);
  const auto qnnpack = converted(shape, *calibrated_layer(shape, preset("qnnpack")));
  const auto calibrated = calibrated_layer(shape, preset("fbgemm"));
  const auto fbgemm = converted(shape, *calibrated);
  const auto x = input(shape);
  const auto first = forward(*qnnpack, x), second = forward(*fbgemm, x);

  const auto before = at::globalContext().qEngine();
  for (const auto engine : at::globalContext().supportedQEngines()) {
    at::globalContext().setQEngine(engine);
    CHECK(at::equal(forward(*qnnpack, x), first));
    CHECK(at::equal(forward(*fbgemm, x), second));
    CHECK(qnnpack->int8().kernel->weight().sizes() == fbgemm->int8().kernel->weight().sizes());
    const auto another = converted(shape, *calibrated_layer(shape, preset("fbgemm")));
    CHECK(forward(*another, x).isfinite().all().item<bool>());
    CHECK(at::globalContext().qEngine() == engine);
  }
  at::globalContext().setQEngine(before);
}

TEST_CASE("an input with other strides gives the same int8 output", "[level]") {
  at::manual_seed(6);
  for (const auto& name : {"qnnpack", "fbgemm"}) {
    const auto shape = conv(8, 12, 3, 2, true, 2, 31);
    const auto int8 = converted(shape, *calibrated_layer(shape, preset(name)));
    const auto x = input(shape);
    const auto strided = x.transpose(1, 2).contiguous().transpose(1, 2);
    REQUIRE_FALSE(strided.is_contiguous());
    CHECK(at::equal(forward(*int8, strided), forward(*int8, x)));
  }
}

TEST_CASE("several threads may run one layer", "[level]") {
  at::manual_seed(14);
  const auto shape = conv(8, 12, 3, 2, true, 2, 131);
  const auto x = input(shape);
  for (const auto& name : preset_names()) {
    const auto frozen = calibrated_layer(shape, preset(name));
    for (const auto& layer : {frozen, converted(shape, *frozen)}) {
      std::vector<at::Tensor> outputs(4);
      std::vector<std::thread> threads;
      for (auto& y : outputs) threads.emplace_back([&] { y = forward(*layer, x); });
      for (auto& thread : threads) thread.join();
      for (const auto& y : outputs) CHECK(at::equal(y, outputs.front()));
      CHECK(at::equal(outputs.front(), forward(*layer, x)));
    }
  }
}

TEST_CASE("conversion uses the stored scales and zero points even where the ranges differ",
          "[level]") {
  at::manual_seed(8);
  for (const auto& name : preset_names()) {
    const auto shape = linear(6, 4, {3});
    auto state = layer_to_json(*calibrated_layer(shape, preset(name)));
    state["input"]["scale"] = 0.03125;
    state["input"]["zero_point"] = 77;
    state["output"]["scale"] = 0.0625;
    state["output"]["zero_point"] = 101;
    if (preset(name).per_channel_weights)
      state["weight"]["scale"] = {0.01, 0.02, 0.03, 0.04};
    else
      state["weight"]["scale"] = 0.25;

    const auto layer = float_layer(shape);
    load_fake_quantization(*layer, state);
    CHECK(layer_to_json(*layer)["output"] == state["output"]);
    const auto int8 = converted(shape, *layer);
    const auto found = layer_to_json(*int8);
    for (const auto* part : {"input", "output"})
      for (const auto* key : {"scale", "zero_point"}) CHECK(found[part][key] == state[part][key]);
    const auto scale = preset(name).per_channel_weights ? at::tensor({0.01f, 0.02f, 0.03f, 0.04f})
                                                        : at::tensor({0.25f});
    CHECK(at::equal(int8->int8().kernel->weight_scale(), scale));
    const auto dequantized = int8->int8().kernel->weight().to(at::kFloat) * scale.view({-1, 1});
    const GridEnds grid = weight_grid(preset(name).weight_bits);
    const auto clamped = layer->weight.minimum(scale.view({-1, 1}) * grid.highest)
                             .maximum(scale.view({-1, 1}) * grid.lowest);
    CHECK(((dequantized - clamped).abs() <= scale.view({-1, 1}) * 0.501).all().item<bool>());
  }
}

TEST_CASE("weights of one sign and dead channels survive conversion and reloading", "[level]") {
  at::manual_seed(10);
  const auto shape = linear(12, 4, {20});
  const at::NoGradGuard no_grad;
  for (const auto& name : preset_names()) {
    auto layer = float_layer(shape);
    layer->weight.abs_();
    if (preset(name).per_channel_weights) layer->weight[1].neg_();
    if (preset(name).per_channel_weights) layer->weight[2].zero_();
    layer->insert_fake_quantizers(preset(name));
    forward(*layer, input(shape));
    layer->set_fake_quantization(true);
    layer->set_observers(false, false);
    const auto int8 = converted(shape, *layer);
    INFO(name << " " << layer_to_json(*int8).dump());
    CHECK(int8->int8().kernel->weight_zero_point().any().item<bool>());
    const auto x = on_input_grid(input(shape), layer_to_json(*int8));
    const float step = layer_to_json(*int8)["output"]["scale"];
    CHECK(most_steps_apart(forward(*int8, x), forward(*layer, x), step) <= 1);
    CHECK(at::equal(forward(*reloaded_int8(shape, *int8), x), forward(*int8, x)));
  }
}

}  // namespace flowqat::model
