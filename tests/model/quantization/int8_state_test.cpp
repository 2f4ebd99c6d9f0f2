#include <ATen/Context.h>
#include <ATen/ops/equal.h>

#include <nlohmann/json.hpp>

#include "model/model.h"
#include "model/torch/network/layers.h"
#include "tests/catch.h"
#include "tests/model/quantization/quantized_layers.h"

namespace flowqat::model {

using namespace testing;

namespace {

std::vector<std::string> names_of(const Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, value] : module.named_parameters()) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("int8 layers come back from state and tensors with equal bits", "[level]") {
  at::manual_seed(9);
  for (const auto& name : preset_names())
    for (const auto& shape : shapes()) {
      INFO(name << ", " << shape.name);
      const auto int8 = converted(shape, *calibrated_layer(shape, preset(name)));
      const auto loaded = reloaded_int8(shape, *int8);
      const auto x = input(shape);
      CHECK(at::equal(forward(*loaded, x), forward(*int8, x)));
      CHECK(layer_to_json(*loaded) == layer_to_json(*int8));
      CHECK(at::equal(loaded->int8().kernel->weight(), int8->int8().kernel->weight()));
      CHECK(loaded->scheme() == preset(name));
    }
}

TEST_CASE("fake-quantized layers come back from their state with equal bits", "[level]") {
  at::manual_seed(11);
  for (const auto& name : preset_names()) {
    const auto shape = conv(6, 5, 3, 2, false, 2, 21);
    const auto layer = calibrated_layer(shape, preset(name));
    layer->set_observers(false, true);
    const auto loaded = shape.make();
    loaded->weight.set_data(layer->weight.detach().clone());
    load_fake_quantization(*loaded, nlohmann::json::parse(layer_to_json(*layer).dump()));
    CHECK(layer_to_json(*loaded) == layer_to_json(*layer));
    const auto x = input(shape);
    CHECK(at::equal(forward(*loaded, x), forward(*layer, x)));
  }
}

TEST_CASE("a layer that has seen nothing keeps that in its state", "[level]") {
  const auto shape = linear(3, 2, {4});
  const auto layer = float_layer(shape);
  layer->insert_fake_quantizers(preset("fbgemm"));
  CHECK(layer_to_json(*layer)["input"]["min"].is_null());
  const auto loaded = float_layer(shape);
  load_fake_quantization(*loaded, layer_to_json(*layer));
  CHECK_FALSE(loaded->observed());
  CHECK(layer_to_json(*loaded) == layer_to_json(*layer));
}

TEST_CASE("a copy in any state is equal and independent", "[level]") {
  at::manual_seed(12);
  const auto shape = conv(4, 6, 3, 2, true, 2, 15);
  const auto quantized = calibrated_layer(shape, preset("qnnpack"));
  const auto original_float = float_layer(shape);
  const auto int8 = converted(shape, *quantized);
  const auto x = input(shape);
  for (const auto& original : {original_float, quantized, int8}) {
    // Over a layer in each other state, too.
    for (const auto& target : {float_layer(shape), calibrated_layer(shape, preset("fbgemm")),
                               converted(shape, *calibrated_layer(shape, preset("fbgemm")))}) {
      target->copy_from(*original);
      CHECK(target->is_int8() == original->is_int8());
      CHECK(target->is_fake_quantized() == original->is_fake_quantized());
      CHECK(layer_to_json(*target) == layer_to_json(*original));
      CHECK(at::equal(forward(*target, x), forward(*original, x)));
      CHECK(names_of(*target) == names_of(*original));
    }
  }
  const auto expected = forward(*quantized, x);
  const auto copy = copy_of(shape, *quantized);
  const at::NoGradGuard no_grad;
  copy->weight.fill_(0);
  copy->set_observers(true, true);
  forward(*copy, 100 * x);
  CHECK(at::equal(forward(*quantized, x), expected));
}

}  // namespace flowqat::model
