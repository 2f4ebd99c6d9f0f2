#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

const std::string kGain = "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original0";
const std::string kDirection =
    "wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original1";

Tensor& named(Tensors& tensors, const std::string& name) {
  return *std::ranges::find(tensors, name, &Tensor::name);
}

}  // namespace

TEST_CASE("a model gives back the tensors that it was loaded from, under transformers 5's names") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  CHECK(same(model->tensors(), golden.weights));
  CHECK(model->quantization().is_null());
  CHECK(model->precision() == Precision::float32);
  int64_t count = 0;
  for (const Tensor& tensor : golden.weights) count += from_tensor(tensor).numel();
  CHECK(model->parameter_count() == count);
}

TEST_CASE("the positional convolution's older names are read") {
  Golden golden("wav2vec2_tiny");
  named(golden.weights, kGain).name = "wav2vec2.encoder.pos_conv_embed.conv.weight_g";
  named(golden.weights, kDirection).name = "wav2vec2.encoder.pos_conv_embed.conv.weight_v";
  const Logits logits = golden.load(false)->infer(golden.batch());
  CHECK(largest_difference(as_tensor(logits), golden["logits"]) < 1e-4);
}

TEST_CASE("half and bfloat weights are read as float") {
  for (const auto type : {at::kHalf, at::kBFloat16}) {
    Golden golden("wav2vec2_tiny");
    for (Tensor& tensor : golden.weights) {
      tensor = to_tensor(tensor.name, from_tensor(tensor).to(type));
    }
    const auto model = golden.load(false);
    for (const Tensor& tensor : model->tensors()) {
      const at::Tensor expected = golden["weights." + tensor.name].to(type).to(at::kFloat);
      CHECK(at::equal(from_tensor(tensor), expected));
    }
  }
}

TEST_CASE("every tensor that does not fit is listed in one message") {
  Golden golden("wav2vec2_tiny");
  named(golden.weights, kGain).name = "wav2vec2.surplus";
  named(golden.weights, "lm_head.bias") = to_tensor("lm_head.bias", at::zeros({13}));
  named(golden.weights, "lm_head.weight") =
      to_tensor("lm_head.weight", at::zeros({12, 32}, at::kChar));
  REQUIRE_THROWS_WITH(golden.load(false),
                      ContainsSubstring("missing \"" + kGain + "\"") &&
                          ContainsSubstring("unexpected \"wav2vec2.surplus\"") &&
                          ContainsSubstring("\"lm_head.bias\" has shape [13], expected [12]") &&
                          ContainsSubstring("\"lm_head.weight\" has type I8, expected F32"));
}

TEST_CASE("a tensor given under both of its names, or cut short, is refused") {
  Golden golden("wav2vec2_tiny");
  golden.weights.push_back(named(golden.weights, kGain));
  golden.weights.back().name = "wav2vec2.encoder.pos_conv_embed.conv.weight_g";
  Tensor& bias = named(golden.weights, "lm_head.bias");
  bias.bytes = bias.bytes.first(8);
  REQUIRE_THROWS_WITH(golden.load(false), ContainsSubstring("twice") &&
                                              ContainsSubstring("\"lm_head.bias\" has 8 bytes"));
}

TEST_CASE("a missing mask embedding is made up, the same at each load") {
  Golden golden("wav2vec2_tiny");
  std::erase_if(golden.weights, [](const Tensor& t) { return t.name.ends_with("spec_embed"); });
  const auto first = golden.load(false), second = golden.load(false);
  CHECK(same(first->tensors(), second->tensors()));
  const at::Tensor embedding =
      from_tensor(by_name(first->tensors()).at("wav2vec2.masked_spec_embed"));
  CHECK(embedding.min().item<float>() >= 0);
  CHECK(embedding.max().item<float>() <= 1);
  CHECK(embedding.std().item<float>() > 0.1);
}

TEST_CASE("the mask embedding is saved only where transformers expects it, or where it was used") {
  Golden golden("wav2vec2_tiny");
  std::erase_if(golden.weights, [](const Tensor& t) { return t.name.ends_with("spec_embed"); });
  golden.config.mask_time_prob = 0;
  const auto model = golden.load(false);
  CHECK(same(model->tensors(), golden.weights));
  model->trainer({})->step(golden.masked_batch(), 1e-3, 1);
  CHECK(by_name(model->tensors()).contains("wav2vec2.masked_spec_embed"));
}

TEST_CASE("saved tensors are a snapshot, and a clone lives its own life") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto clone = model->clone();
  const Tensors before = model->tensors();
  model->trainer({})->step(golden.batch(), 1e-2, 1);
  CHECK(same(before, golden.weights));
  CHECK(same(clone->tensors(), golden.weights));
  CHECK_FALSE(same(model->tensors(), golden.weights));
  CHECK(largest_difference(as_tensor(clone->infer(golden.batch())), golden["masked_logits"]) <
        1e-4);
}
