// The int8 model on the fastest kernels beside the exact ones, layer by layer and as a whole.
#include "model/torch/fast/network.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/quantize_per_tensor.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <thread>
#include <vector>

#include "model/torch/int8/attention.h"
#include "model/torch/int8/byte_norm.h"
#include "model/torch/network/batch.h"
#include "tests/catch.h"
#include "tests/model/quantization/quantized_layers.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;
namespace {

struct NamedPolicy {
  const char* name;
  Policy policy;
};

Policy of_preset(const std::string& feature_extractor, const std::string& encoder) {
  Policy policy;
  policy.feature_extractor = choice_from_json(feature_extractor, "policy");
  policy.attention = policy.feed_forward = choice_from_json(encoder, "policy");
  return policy;
}

/// Every way in which a part of the network may run: as bytes, in float, or apart from the rest.
std::vector<NamedPolicy> policies() {
  Policy everything;
  everything.feature_projection = everything.positional_conv = everything.head = preset("fbgemm");
  Policy smoothed = of_preset("qnnpack", "fbgemm");
  smoothed.feature_extractor->smoothing = smoothed.feed_forward->smoothing = 0.5;
  return {{"the default", {}},
          {"only the encoder", of_preset("none", "fbgemm")},
          {"only the convolutions", of_preset("fbgemm", "none")},
          {"other presets", of_preset("qnnpack_symmetric", "qnnpack")},
          {"every layer", everything},
          {"smoothed", smoothed}};
}

std::unique_ptr<Model> int8_model(const Golden& golden, const Policy& policy, bool mask = true) {
  const auto model = golden.load(mask);
  model->insert_fake_quantizers(policy);
  model->observe(golden.batch());
  model->finish_calibration();
  return model->convert();
}

LoadOptions exact_kernels() {
  LoadOptions options;
  options.kernels = Kernels::exact;
  return options;
}

at::Tensor scores(const Model& model, const AudioBatch& batch) {
  return as_tensor(model.infer(batch));
}

NetworkInput network_input(Model& model, const AudioBatch& batch) {
  return flowqat::model::network_input(model.config(), batch, checked_frames(model.config(), batch),
                                       false, at::kCPU);
}

/// What the layers' own fast products say, each from float to float, with the float operations
/// between them.
at::Tensor layer_by_layer(Model& model, const AudioBatch& batch) {
  const c10::InferenceMode inference;
  return inside(model).network().forward(network_input(model, batch));
}

double mean_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().mean().item<double>();
}

std::string any_golden() {
  return GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm", "wav2vec2_variant");
}

/// The default policy, but for layers of these names.
std::unique_ptr<Model> int8_model_without(const Golden& golden,
                                          const std::vector<std::string>& names) {
  Policy policy = of_preset("fbgemm", "fbgemm");
  for (const auto& name : names) policy.exceptions.push_back({"*." + name, {}});
  return int8_model(golden, policy);
}

}  // namespace

TEST_CASE("a layer's fast product is within one step of its engine's, and nearly always equal") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(3);
  for (const auto& name : preset_names()) {
    for (const auto& shape : testing::shapes()) {
      INFO(name << ", " << shape.name);
      const auto exact = testing::converted(shape, *testing::calibrated_layer(shape, preset(name)));
      const auto fast = testing::copy_of(shape, *exact);
      CHECK(fast->fast() == nullptr);
      fast->use_fast_product(true);
      REQUIRE(fast->fast() != nullptr);
      const auto x = testing::input(shape);
      const auto expected = testing::forward(*exact, x), found = testing::forward(*fast, x);
      REQUIRE(found.sizes() == expected.sizes());
      const float step = layer_to_json(*exact)["output"]["scale"];
      CHECK(testing::most_steps_apart(found, expected, step) <= 1);
      const auto differ = ((found - expected) / step).round().ne(0).to(at::kDouble);
      CHECK(differ.mean().item<double>() <= 0.01 + 1.0 / static_cast<double>(differ.numel()));
      fast->use_fast_product(false);
      CHECK(at::equal(testing::forward(*fast, x), expected));
    }
  }
}

TEST_CASE("layers run together say what they say one by one") {
  if (!testing::vnni_or_skip()) return;
  const Golden golden(any_golden());
  for (const auto& [name, policy] : policies()) {
    INFO(name);
    for (const bool mask : {true, false}) {
      const auto model = int8_model(golden, policy, mask);
      const at::Tensor together = scores(*model, golden.batch());
      const at::Tensor apart = layer_by_layer(*model, golden.batch());
      const double spread = apart.std().item<double>();
      // A sum that lies between two steps falls to either side: now and then a value differs by
      // one step, which later layers spread.
      CHECK(mean_difference(together, apart) < 0.01 * spread);
      CHECK(largest_difference(together, apart) < 0.15 * spread);
    }
  }
}

TEST_CASE("the fastest kernels hear what the exact ones hear", "[level]") {
  const Golden golden(any_golden());
  for (const auto& [name, policy] : policies()) {
    INFO(name);
    const auto model = int8_model(golden, policy);
    const auto exact = test_engine().load(model->config(), model->tensors(), model->quantization(),
                                          exact_kernels());
    const at::Tensor found = scores(*model, golden.batch());
    const at::Tensor expected = scores(*exact, golden.batch());
    const double spread = expected.std().item<double>();
    CHECK(mean_difference(found, expected) < 0.02 * spread);
    CHECK(largest_difference(found, expected) < 0.3 * spread);  // several steps of an int8 head
    CHECK(model->quantization() == exact->quantization());
    CHECK(same(model->tensors(), exact->tensors()));
  }
}

TEST_CASE("a processor without VNNI runs the exact kernels, bit for bit", "[level]") {
  const Golden golden(any_golden());
  const auto model = int8_model(golden, {});
  const auto exact =
      test_engine().load(model->config(), model->tensors(), model->quantization(), exact_kernels());
  inside(*model).use_kernels(Kernels::fastest, /*vnni=*/false);
  CHECK(at::equal(scores(*model, golden.batch()), scores(*exact, golden.batch())));
  CHECK(at::equal(scores(*model->clone(), golden.batch()), scores(*exact, golden.batch())));
}

TEST_CASE("any layers may stay in float among fast ones") {
  if (!testing::vnni_or_skip()) return;
  const Golden golden(any_golden());
  const at::Tensor all_int8 = scores(*int8_model_without(golden, {}), golden.batch());
  const std::string last = std::to_string(golden.config.conv_dim.size() - 1);
  for (const std::vector<std::string>& left : std::vector<std::vector<std::string>>{
           {"conv_layers.0.conv"},
           {"conv_layers.1.conv"},
           {"conv_layers.[12].conv"},
           {"conv_layers." + last + ".conv"},
           {"layers.0.attention.q_proj"},
           {"layers.0.attention.out_proj"},
           {"layers.0.feed_forward.intermediate_dense"},
           {"layers.0.attention.k_proj", "layers.0.feed_forward.output_dense"}}) {
    INFO(left.front() << ", " << left.size() << " patterns");
    const auto model = int8_model_without(golden, left);
    const at::Tensor together = scores(*model, golden.batch());
    const at::Tensor apart = layer_by_layer(*model, golden.batch());
    const double spread = apart.std().item<double>();
    CHECK(mean_difference(together, apart) < 0.01 * spread);
    CHECK(largest_difference(together, apart) < 0.15 * spread);
    CHECK_FALSE(at::equal(together, all_int8));
  }
}

TEST_CASE("several threads run one fast model at once, and hear the same", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = int8_model(golden, {});
  const at::Tensor expected = scores(*model, golden.batch());
  std::vector<at::Tensor> found(4);
  std::vector<std::thread> threads;
  for (auto& one : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) one = scores(*model, golden.batch());
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& one : found) CHECK(at::equal(one, expected));
}

TEST_CASE("any number of compute threads brings the same bits") {
  if (!testing::vnni_or_skip()) return;
  const Golden golden(any_golden());
  const auto model = int8_model(golden, {});
  const at::Tensor one = scores(*model, golden.batch());
  at::set_num_threads(3);
  const at::Tensor three = scores(*model, golden.batch());
  at::set_num_threads(1);
  CHECK(at::equal(one, three));
}

TEST_CASE("int8 attention is attention of the dequantized operands") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(1);
  for (const auto& [rows, frames, heads, width] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t>>{
           {1, 1, 1, 4}, {2, 65, 3, 10}, {1, 130, 2, 64}, {2, 23, 1, 80}, {1, 200, 4, 8}}) {
    INFO(rows << " x " << frames << ", " << heads << " heads of " << width);
    const std::vector<int64_t> whole{rows, frames, heads * width},
        by_head{rows, frames, heads, width};
    const auto bytes = [&] { return at::randint(0, 256, whole).to(at::kByte); };
    const AttentionBytes x{bytes(), bytes(), bytes(), {0.02, 117}, {0.03, 0}, {0.01, 255}};
    const auto split = [&](const at::Tensor& q, const ActivationScale& scale) {
      return dequantize_bytes(q, scale).view(by_head).transpose(1, 2);
    };
    at::Tensor mask;
    if (rows > 1) {
      mask = at::ones({rows, 1, 1, frames}, at::kBool);
      mask[1].slice(2, frames / 2).fill_(false);
    }
    const auto expected =
        at::scaled_dot_product_attention(split(x.q, x.q_scale).to(at::kDouble),
                                         split(x.k, x.k_scale).to(at::kDouble),
                                         split(x.v, x.v_scale).to(at::kDouble),
                                         mask.defined() ? std::optional(mask) : std::nullopt)
            .transpose(1, 2)
            .reshape({rows, frames, heads * width});
    const auto found = int8_attention(x, heads, mask, nullptr);
    CHECK(largest_difference(found.to(at::kDouble), expected) < 1e-5);
    const ActivationScale out{0.012, 140};
    const auto steps = expected / out.scale + double(out.zero_point);
    const auto far = (int8_attention(x, heads, mask, &out).to(at::kDouble) - steps.clamp(0, 255));
    CHECK(far.abs().max().item<double>() < 0.51);
  }
}

TEST_CASE("sum, norm and quantization in one pass are those of LibTorch") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(1);
  for (const int64_t channels : {1, 15, 16, 33, 768}) {
    INFO(channels << " channels");
    AddNorm from;
    from.x = at::randn({2, 21, channels});
    from.bytes = at::randint(0, 256, {2, 21, channels}).to(at::kByte);
    from.bytes_scale = {0.03, 100};
    from.weight = at::randn({channels});
    from.bias = at::randn({channels});
    const ActivationScale grid{0.04, 120};
    const auto sum = from.x + (from.bytes.to(at::kFloat) - 100) * 0.03f;
    const auto normed = at::layer_norm(sum, {channels}, from.weight, from.bias, from.epsilon);
    const Normed found = add_norm(from, true, true, &grid);
    CHECK(largest_difference(found.sum, sum) < 1e-5);
    CHECK(largest_difference(found.normed, normed) < 1e-4);
    CHECK(at::equal(found.bytes, quantize_bytes(found.normed, grid)));
    const auto engine = at::quantize_per_tensor(found.normed, 0.04, 120, at::kQUInt8);
    CHECK(at::equal(found.bytes, engine.int_repr()));
    const Normed only_bytes = add_norm(from, false, false, &grid);
    CHECK_FALSE(only_bytes.sum.defined());
    CHECK_FALSE(only_bytes.normed.defined());
    CHECK(at::equal(only_bytes.bytes, found.bytes));
  }
}

TEST_CASE("the packed positional convolution is the module's") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(1);
  for (const auto& [channels, groups, kernel, frames] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t>>{
           {32, 2, 8, 21}, {48, 1, 5, 3}, {160, 2, 128, 50}, {12, 4, 16, 100}}) {
    INFO(channels << " channels, " << groups << " groups, kernel " << kernel);
    const auto weight = at::randn({channels, channels / groups, kernel}) * 0.1;
    const auto bias = at::randn({channels}), x = at::randn({2, frames, channels});
    auto expected = at::conv1d(x.transpose(1, 2), weight, bias, 1, kernel / 2, 1, groups);
    if (kernel % 2 == 0) expected = expected.slice(2, 0, frames);
    const FastPositionalConv fast(weight, bias, groups);
    CHECK(largest_difference(fast.run(x), expected.transpose(1, 2)) < 1e-3);
  }
}
