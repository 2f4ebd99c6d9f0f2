#include "model/torch/quantization/fake_quantizer.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/fake_quantize_per_channel_affine.h>
#include <ATen/ops/fused_moving_avg_obs_fake_quant.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/model.h"
#include "tests/catch.h"

namespace flowqat::model {
namespace {

at::Tensor floats(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<float>>());
}

at::Tensor integers(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<int32_t>>(), at::kInt);
}

bool same(const at::Tensor& found, const at::Tensor& expected) {
  return at::equal(found.detach().flatten(), expected);
}

FakeQuantizerOptions options_of(const nlohmann::json& golden) {
  return {.symmetric = golden["symmetric"],
          .channels = golden["channels"],
          .quant_min = golden["quant_min"],
          .quant_max = golden["quant_max"],
          .averaging_constant = golden["averaging_constant"]};
}

void run_step(FakeQuantizer& quantizer, const nlohmann::json& step, at::IntArrayRef shape) {
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

void calibrate(FakeQuantizer& quantizer, const at::Tensor& x) {
  quantizer.forward(x);
  quantizer.set_observer(false);
  quantizer.set_fake_quantization(true);
}

}  // namespace

TEST_CASE("outputs, gradients and state equal PyTorch's bit for bit after every batch", "[level]") {
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

TEST_CASE("per-channel scales equal those that PyTorch's fused kernel chooses, over many sizes",
          "[level]") {
  at::manual_seed(7);
  const int64_t channels = 4000;
  const auto size = at::pow(10, at::rand({channels, 1}) * 12 - 8);
  auto weight = at::randn({channels, 6}) * size;
  weight.slice(0, 0, 500).abs_();
  weight.slice(0, 500, 1000).abs_().neg_();

  FakeQuantizer quantizer(FakeQuantizerOptions::weight({}, channels));
  calibrate(quantizer, weight);
  auto low = quantizer.min_val().clone(), high = quantizer.max_val().clone();
  auto scale = at::ones({channels});
  auto zero_point = at::zeros({channels}, at::kInt);
  at::fused_moving_avg_obs_fake_quant(weight, at::zeros({1}, at::kLong), at::ones({1}, at::kLong),
                                      low, high, scale, zero_point, 1, -128, 127, 0, true, true);
  CHECK(at::equal(quantizer.scale(), scale));
  CHECK(at::equal(quantizer.zero_point(), zero_point));
}

TEST_CASE("zero points as float32, which spare a GPU the wait, give the same numbers", "[level]") {
  at::manual_seed(2);
  // Zero points all over the range; even where a product lies next to a tie, which is rounded
  // before the zero point is added or behind it, the numbers are a step apart at most. None does
  // here.
  const auto weight = at::randn({64, 9}) + at::randn({64, 1});
  FakeQuantizer quantizer(FakeQuantizerOptions::weight({.symmetric_weights = false}, 64));
  calibrate(quantizer, weight / 2);
  const auto odd = quantizer.zero_point().remainder(2).sum().item<int64_t>();
  CHECK(odd > 10);
  CHECK(odd < 54);
  const auto fake_quantize = [&](const at::Tensor& zero_point) {
    auto x = weight.clone().requires_grad_();
    const auto y =
        at::fake_quantize_per_channel_affine(x, quantizer.scale(), zero_point, 0, -128, 127);
    y.sum().backward();
    return at::cat({y.detach(), x.grad()});
  };
  CHECK(at::equal(fake_quantize(quantizer.zero_point()),
                  fake_quantize(quantizer.zero_point().to(at::kFloat))));
}

TEST_CASE("with both switches off the input passes untouched and nothing is learned", "[level]") {
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({}));
  quantizer.set_observer(false);
  const auto x = at::randn({4, 4});
  CHECK(quantizer.forward(x).is_same(x));
  CHECK_FALSE(quantizer.observed());
}

TEST_CASE("other types are quantized as float32 under autocast too, and keep their type",
          "[level]") {
  at::manual_seed(1);
  const auto x = at::randn({8, 16});
  for (const int64_t channels : {int64_t{0}, int64_t{8}}) {
    FakeQuantizer quantizer(channels == 0 ? FakeQuantizerOptions::activation({})
                                          : FakeQuantizerOptions::weight({}, channels));
    calibrate(quantizer, x);
    const auto narrow = x.to(at::kBFloat16);
    const auto expected = quantizer.forward(narrow.to(at::kFloat)).to(at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    quantizer.set_observer(channels == 0);  // the fused kernel and the frozen path
    const auto range = quantizer.min_val().clone();
    const auto y = quantizer.forward(narrow);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    CHECK(y.scalar_type() == at::kBFloat16);
    // The range that the fused kernel goes on observing moves the grid by next to nothing: now and
    // then a number falls to bfloat16's other side.
    const auto same = y.eq(expected).to(at::kFloat).mean().item<double>();
    CHECK(same >= (channels == 0 ? 0.95 : 1));
    CHECK(quantizer.min_val().scalar_type() == at::kFloat);
    CHECK(at::allclose(quantizer.min_val(), range, 1e-2));
  }
}

TEST_CASE("frozen, the scale and zero point in use are the stored ones", "[level]") {
  const auto x = at::linspace(-1, 1, 64);
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({}));
  calibrate(quantizer, x);
  auto state = quantizer.state();
  state.scale.fill_(0.5);
  state.zero_point.fill_(3);
  quantizer.load_state(state);
  CHECK(at::equal(quantizer.forward(x), (x / 0.5).round() * 0.5));
  CHECK(quantizer.scale().item<float>() == 0.5f);
}

TEST_CASE("an empty tensor is returned as it is", "[level]") {
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({.symmetric_activations = true}));
  CHECK(quantizer.forward(at::zeros({0, 3})).numel() == 0);
  CHECK_FALSE(quantizer.observed());
}

TEST_CASE("affine scales per channel are those of PyTorch's observer", "[level]") {
  at::manual_seed(5);
  const int64_t channels = 64;
  auto weight = at::randn({channels, 7}) + at::randn({channels, 1});
  FakeQuantizer quantizer(FakeQuantizerOptions::weight({.symmetric_weights = false}, channels));
  calibrate(quantizer, weight);
  for (int64_t c = 0; c < channels; ++c) {
    // The fused kernel, a channel at a time.
    auto one = FakeQuantizer(FakeQuantizerOptions::weight({.symmetric_weights = false}, 0));
    one.forward(weight[c]);
    one.set_fake_quantization(true);
    CHECK(one.scale().item<float>() == quantizer.scale()[c].item<float>());
    CHECK(one.zero_point().item<int>() == quantizer.zero_point()[c].item<int>());
  }
}

TEST_CASE("while calibrating, a moving range is the mean of all batches, however many", "[level]") {
  const auto ends = [](double low, double high) { return at::tensor({low, high}, at::kFloat); };
  const std::vector<at::Tensor> batches{ends(-1, 8), ends(-2, 4), ends(-3, 3)};
  const auto range = [&](bool calibrating) {
    FakeQuantizer quantizer(FakeQuantizerOptions::activation({}));
    quantizer.set_calibrating(calibrating);
    for (const auto& batch : batches) quantizer.forward(batch);
    return std::pair(quantizer.min_val().item<double>(), quantizer.max_val().item<double>());
  };
  CHECK(range(true).first == Approx(-2));
  CHECK(range(true).second == Approx(5));
  // As PyTorch's observer: nearly the first alone.
  CHECK(range(false).second == Approx(8 * 0.99 * 0.99 + 4 * 0.01 * 0.99 + 3 * 0.01));

  // Calibrated once more, it begins anew; in training it moves from there by the constant.
  FakeQuantizer quantizer(FakeQuantizerOptions::activation({}));
  quantizer.set_calibrating(true);
  quantizer.forward(ends(-100, 100));
  quantizer.set_fake_quantization(true);
  quantizer.set_fake_quantization(false);
  quantizer.calibrate_again();
  quantizer.forward(ends(-1, 2));
  quantizer.set_fake_quantization(true);
  CHECK(quantizer.max_val().item<double>() == Approx(2));
  quantizer.set_calibrating(false);
  quantizer.forward(ends(-1, 3));
  CHECK(quantizer.max_val().item<double>() == Approx(2.01));
}

TEST_CASE("a percentile leaves the rare large values outside and stays as calibrated", "[level]") {
  at::manual_seed(3);
  auto x = at::randn({200000});
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
  CHECK(at::equal(quantizer.scale(), before));
}

TEST_CASE("the least squared error clips a long tail less than it must and never widens",
          "[level]") {
  at::manual_seed(4);
  const auto x = at::randn({100000}).pow(3);
  LayerScheme scheme;
  scheme.range = RangeEstimate::mse;
  FakeQuantizer quantizer(FakeQuantizerOptions::activation(scheme));
  quantizer.forward(x);
  quantizer.set_fake_quantization(true);
  const auto error = [&](FakeQuantizer& q) {
    return (q.forward(x) - x).square().mean().item<double>();
  };
  FakeQuantizer widest(FakeQuantizerOptions::activation({}));
  calibrate(widest, x);
  CHECK(quantizer.max_val().item<double>() <= x.max().item<double>());
  CHECK(error(quantizer) < error(widest));
}

TEST_CASE("a learned step has the gradient of LSQ and frozen stays the same", "[level]") {
  at::manual_seed(6);
  LayerScheme scheme;
  scheme.learned_step = true;
  FakeQuantizer quantizer(FakeQuantizerOptions::activation(scheme));
  const auto x = at::randn({500});
  quantizer.forward(x);
  quantizer.set_fake_quantization(true);
  const double s = quantizer.scale().item<double>();
  const double z = quantizer.zero_point().item<double>();
  const auto wide = 1.5 * x;  // some of it is clipped
  quantizer.forward(wide).sum().backward();
  const auto steps = wide / s;
  const auto clamped = steps.clamp(-z, 255 - z);
  const auto inside = (steps == clamped).to(at::kFloat);
  const double expected =
      (clamped.round() - inside * steps).sum().item<double>() * s / std::sqrt(500.0 * 255.0);
  const double found = quantizer.log_scale().grad().item<double>();
  CHECK(std::abs(found - expected) < 1e-4 * std::abs(expected) + 1e-5);
  quantizer.set_observer(false);
  const auto frozen = quantizer.forward(wide);
  quantizer.set_observer(true);
  CHECK(at::allclose(quantizer.forward(wide).detach(), frozen, 1e-5, 1e-6));
}

}  // namespace flowqat::model
