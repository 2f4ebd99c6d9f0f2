#include "model/torch/quantization/fake_quantizer.h"

#include <ATen/autocast_mode.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/model.h"
#include "tests/catch.h"

namespace flowqat::model {
namespace {

torch::Tensor floats(const nlohmann::json& values) {
  return torch::tensor(values.get<std::vector<float>>());
}

torch::Tensor integers(const nlohmann::json& values) {
  return torch::tensor(values.get<std::vector<int32_t>>(), torch::kInt);
}

bool same(const torch::Tensor& found, const torch::Tensor& expected) {
  return torch::equal(found.detach().flatten(), expected);
}

FakeQuantizerOptions options_of(const nlohmann::json& golden) {
  return {.symmetric = golden["symmetric"],
          .channels = golden["channels"],
          .quant_min = golden["quant_min"],
          .quant_max = golden["quant_max"],
          .averaging_constant = golden["averaging_constant"]};
}

void run_step(FakeQuantizer& quantizer, const nlohmann::json& step, torch::IntArrayRef shape) {
  quantizer.set_observer(step["observe"]);
  if (step["fake_quantize"] != quantizer.fake_quantization_on())
    quantizer.set_fake_quantization(step["fake_quantize"]);
  auto x = floats(step["x"]).reshape(shape).requires_grad_();
  const auto y = quantizer.forward(x);
  y.backward(floats(step["gradient"]).reshape(shape));

  CHECK(same(y, floats(step["y"])));
  CHECK(same(x.grad(), floats(step["x_gradient"])));
  CHECK(same(quantizer.min_val(), floats(step["min"])));
  CHECK(same(quantizer.max_val(), floats(step["max"])));
  if (!step["fake_quantize"]) return;
  CHECK(same(quantizer.scale(), floats(step["scale"])));
  CHECK(same(quantizer.zero_point(), integers(step["zero_point"])));
}

FakeQuantizer calibrated(const FakeQuantizerOptions& options, const torch::Tensor& x) {
  FakeQuantizer quantizer(options);
  quantizer.forward(x);
  quantizer.set_observer(false);
  quantizer.set_fake_quantization(true);
  return quantizer;
}

}  // namespace

TEST_CASE("outputs, gradients and state equal PyTorch's bit for bit after every batch") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/fake_quantizer.json");
  const auto golden = nlohmann::json::parse(file);
  REQUIRE(golden["cases"].size() >= 14);
  for (const auto& scenario : golden["cases"]) {
    FakeQuantizer quantizer(options_of(scenario));
    const auto shape = scenario["shape"].get<std::vector<int64_t>>();
    for (size_t i = 0; i < scenario["steps"].size(); ++i) {
      INFO(scenario["name"].get<std::string>() << ", batch " << i);
      run_step(quantizer, scenario["steps"][i], shape);
    }
  }
}

TEST_CASE("per-channel scales equal those that PyTorch's fused kernel chooses, over many sizes") {
  torch::manual_seed(7);
  const int64_t channels = 4000;
  const auto size = torch::pow(10, torch::rand({channels, 1}) * 12 - 8);
  auto weight = torch::randn({channels, 6}) * size;
  weight.slice(0, 0, 500).abs_();
  weight.slice(0, 500, 1000).abs_().neg_();

  const auto quantizer = calibrated(FakeQuantizerOptions::weight({}, channels), weight);
  auto low = quantizer.min_val().clone(), high = quantizer.max_val().clone();
  auto scale = torch::ones({channels});
  auto zero_point = torch::zeros({channels}, torch::kInt);
  at::fused_moving_avg_obs_fake_quant(weight, torch::zeros({1}, torch::kLong),
                                      torch::ones({1}, torch::kLong), low, high, scale, zero_point,
                                      1, -128, 127, 0, true, true);
  CHECK(torch::equal(quantizer.scale(), scale));
  CHECK(torch::equal(quantizer.zero_point(), zero_point));
}

TEST_CASE("zero points as float32, which spare a GPU the wait, give the same numbers") {
  torch::manual_seed(2);
  const auto weight = torch::randn({64, 9});
  const auto quantizer = calibrated(FakeQuantizerOptions::weight({}, 64), weight / 2);
  const auto fake_quantize = [&](const torch::Tensor& zero_point) {
    auto x = weight.clone().requires_grad_();
    const auto y =
        at::fake_quantize_per_channel_affine(x, quantizer.scale(), zero_point, 0, -128, 127);
    y.sum().backward();
    return torch::cat({y.detach(), x.grad()});
  };
  CHECK(torch::equal(fake_quantize(quantizer.zero_point()),
                     fake_quantize(quantizer.zero_point().to(torch::kFloat))));
}

TEST_CASE("with both switches off the input passes untouched and nothing is learned") {
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({}));
  quantizer.set_observer(false);
  const auto x = torch::randn({4, 4});
  CHECK(quantizer.forward(x).is_same(x));
  CHECK_FALSE(quantizer.observed());
}

TEST_CASE("other types are quantized as float32 under autocast too, and keep their type") {
  torch::manual_seed(1);
  const auto x = torch::randn({8, 16});
  for (const int64_t channels : {int64_t{0}, int64_t{8}}) {
    auto quantizer = channels == 0 ? calibrated(FakeQuantizerOptions::activation({}), x)
                                   : calibrated(FakeQuantizerOptions::weight({}, channels), x);
    const auto narrow = x.to(torch::kBFloat16);
    const auto expected = quantizer.forward(narrow.to(torch::kFloat)).to(torch::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    quantizer.set_observer(channels == 0);  // the fused kernel and the frozen path
    const auto range = quantizer.min_val().clone();
    const auto y = quantizer.forward(narrow);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    CHECK(y.scalar_type() == torch::kBFloat16);
    CHECK(torch::allclose(y.to(torch::kFloat), expected.to(torch::kFloat), 1e-2, 1e-2));
    CHECK(quantizer.min_val().scalar_type() == torch::kFloat);
    CHECK(torch::allclose(quantizer.min_val(), range, 1e-2));
  }
}

TEST_CASE("frozen, the scale and zero point in use are the stored ones") {
  const auto x = torch::linspace(-1, 1, 64);
  auto quantizer = calibrated(FakeQuantizerOptions::activation({}), x);
  auto state = quantizer.state();
  state.scale.fill_(0.5);
  state.zero_point.fill_(3);
  quantizer.load_state(state);
  CHECK(torch::equal(quantizer.forward(x), (x / 0.5).round() * 0.5));
  CHECK(quantizer.scale().item<float>() == 0.5f);
}

TEST_CASE("an empty tensor is returned as it is") {
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({.symmetric_activations = true}));
  CHECK(quantizer.forward(torch::zeros({0, 3})).numel() == 0);
  CHECK_FALSE(quantizer.observed());
}

TEST_CASE("affine scales per channel are those of PyTorch's observer") {
  torch::manual_seed(5);
  const int64_t channels = 64;
  auto weight = torch::randn({channels, 7}) + torch::randn({channels, 1});
  const auto quantizer =
      calibrated(FakeQuantizerOptions::weight({.symmetric_weights = false}, channels), weight);
  for (int64_t c = 0; c < channels; ++c) {
    // The fused kernel, a channel at a time.
    auto one = FakeQuantizer(FakeQuantizerOptions::weight({.symmetric_weights = false}, 0));
    one.forward(weight[c]);
    one.set_fake_quantization(true);
    CHECK(one.scale().item<float>() == quantizer.scale()[c].item<float>());
    CHECK(one.zero_point().item<int>() == quantizer.zero_point()[c].item<int>());
  }
}

TEST_CASE("a percentile leaves the rare large values outside and stays as calibrated") {
  torch::manual_seed(3);
  auto x = torch::randn({200000});
  x.slice(0, 0, 100) *= 20;
  LayerScheme scheme;
  scheme.range = RangeEstimate::percentile;
  scheme.percentile = 99;
  FakeQuantizer quantizer(FakeQuantizerOptions::activation(scheme));
  quantizer.forward(x.slice(0, 0, 100000));
  quantizer.forward(x.slice(0, 100000));
  CHECK(quantizer.observed());
  quantizer.set_fake_quantization(true);
  const double exact = x.quantile(0.99).item<double>();
  CHECK(std::abs(quantizer.max_val().item<double>() - exact) < 0.03);
  const auto before = quantizer.scale().clone();
  quantizer.forward(x * 3);  // observers still on
  CHECK(torch::equal(quantizer.scale(), before));
}

TEST_CASE("the least squared error clips a long tail less than it must and never widens") {
  torch::manual_seed(4);
  const auto x = torch::randn({100000}).pow(3);
  LayerScheme scheme;
  scheme.range = RangeEstimate::mse;
  FakeQuantizer quantizer(FakeQuantizerOptions::activation(scheme));
  quantizer.forward(x);
  quantizer.set_fake_quantization(true);
  const auto error = [&](FakeQuantizer& q) {
    return (q.forward(x) - x).square().mean().item<double>();
  };
  auto widest = calibrated(FakeQuantizerOptions::activation({}), x);
  CHECK(quantizer.max_val().item<double>() <= x.max().item<double>());
  CHECK(error(quantizer) < error(widest));
}

TEST_CASE("a learned step has the gradient of LSQ and frozen stays the same") {
  torch::manual_seed(6);
  LayerScheme scheme;
  scheme.learned_step = true;
  FakeQuantizer quantizer(FakeQuantizerOptions::activation(scheme));
  const auto x = torch::randn({500});
  quantizer.forward(x);
  quantizer.set_fake_quantization(true);
  const double s = quantizer.scale().item<double>();
  const double z = quantizer.zero_point().item<double>();
  const auto wide = 1.5 * x;  // some of it is clipped
  quantizer.forward(wide).sum().backward();
  const auto steps = wide / s;
  const auto clamped = steps.clamp(-z, 255 - z);
  const auto inside = (steps == clamped).to(torch::kFloat);
  const double expected =
      (clamped.round() - inside * steps).sum().item<double>() * s / std::sqrt(500.0 * 255.0);
  const double found = quantizer.log_scale().grad().item<double>();
  CHECK(std::abs(found - expected) < 1e-4 * std::abs(expected) + 1e-5);
  quantizer.set_observer(false);
  const auto frozen = quantizer.forward(wide);
  quantizer.set_observer(true);
  CHECK(torch::allclose(quantizer.forward(wide).detach(), frozen, 1e-5, 1e-6));
}

}  // namespace flowqat::model
