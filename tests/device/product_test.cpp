// Products with factors of 16 bits.
#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <memory>
#include <optional>
#include <vector>

#include "model/torch/network/layers.h"
#include "model/torch/operators/device_product.h"
#include "tests/catch.h"
#include "tests/device/devices.h"
#include "tests/model/engine/course.h"
#include "tests/test_device/counts.h"

using namespace flowqat::model;

namespace {

struct Factors {
  explicit Factors(at::ScalarType type) { use_device_factors(type); }
  ~Factors() { use_device_factors(std::nullopt); }
};

at::Tensor copy_on(const at::Device& device, const at::Tensor& value) {
  return value.detach().to(device).requires_grad_();
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).abs().max() / b.abs().max()).item<double>();
}

}  // namespace

TEST_CASE("operands on grids are multiplied exactly, whatever their factors are rounded to") {
  const at::Device device = GENERATE(from_range(devices()));
  const auto type = GENERATE(at::kBFloat16, at::kHalf);
  const Factors factors(type);
  at::manual_seed(2);
  const at::Tensor q = at::randint(-255, 256, {2, 31, 40}, at::kFloat),
                   w = at::randint(-128, 128, {24, 40}, at::kFloat), bias = at::randn({24}),
                   step = at::full({1}, 0.0137f), steps = at::randn({24}).abs() * 0.01 + 1e-3;
  const at::Tensor x = q * step, weight = w * steps.view({-1, 1});
  const at::Tensor y = device_linear(x.to(device), weight.to(device), bias.to(device),
                                     {step.to(device), steps.to(device)});
  const at::Tensor exact =
      at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble));
  CHECK(relative(y.cpu(), exact) < 1e-6);
  const at::Tensor rounded = device_linear(x.to(device), weight.to(device), bias.to(device));
  CHECK(relative(rounded.cpu(), exact) > 1e-5);  // on no grid they lose digits
  CHECK(relative(rounded.cpu(), exact) < 1e-2);

  const at::Tensor taps = at::randint(-128, 128, {24, 31, 3}, at::kFloat) * steps.view({-1, 1, 1});
  const at::Tensor heard = device_conv(x.to(device), taps.to(device), bias.to(device), 2,
                                       {step.to(device), steps.to(device)});
  const at::Tensor conv =
      at::conv1d(x.to(at::kDouble), taps.to(at::kDouble), bias.to(at::kDouble), 2);
  CHECK(heard.sizes() == conv.sizes());
  CHECK(relative(heard.cpu(), conv) < 1e-6);
}

TEST_CASE("the gradients of 16-bit products are LibTorch's but for rounding") {
  const at::Device device = GENERATE(from_range(devices()));
  const Factors factors(at::kBFloat16);
  at::manual_seed(3);
  const bool is_conv = GENERATE(false, true);
  const at::Tensor x = at::randn({2, 12, 33}), bias = at::randn({7});
  const at::Tensor w = is_conv ? at::randn({7, 12, 4}) : at::randn({7, 33});
  const auto run = [&](const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
    if (!a.is_cpu()) return is_conv ? device_conv(a, b, c, 3) : device_linear(a, b, c);
    return is_conv ? at::conv1d(a, b, c, 3) : at::linear(a, b, c);
  };
  const at::Tensor own[] = {copy_on(device, x), copy_on(device, w), copy_on(device, bias)};
  const at::Tensor exact[] = {x.clone().requires_grad_(), w.clone().requires_grad_(),
                              bias.clone().requires_grad_()};
  const at::Tensor y = run(own[0], own[1], own[2]), z = run(exact[0], exact[1], exact[2]);
  const at::Tensor weights = at::randn(z.sizes());
  (y * weights.to(device)).sum().backward();
  (z * weights).sum().backward();
  CHECK(relative(y.detach().cpu(), z.detach()) < 1e-2);
  for (int i = 0; i < 3; ++i) {
    INFO(i);
    CHECK(relative(own[i].grad().cpu(), exact[i].grad()) < 1e-2);
  }
}

TEST_CASE("training with 16-bit factors follows float32, waits for nothing, and saves the same") {
  const Golden golden(GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm"));
  const std::string precision = GENERATE("bf16", "fp16");
  for (const Way& way : {Way{.name = "float"}, Way{.name = "fake-quantized", .policy = Policy{}}}) {
    INFO(precision << ", " << way.name);
    engine().configure({.device = "testdevice:0", .threads = 1, .precision = precision});
    flowqat::test_device::reset_counts();
    const Course own = course(golden, way);
    CHECK(flowqat::test_device::counts().operators.at("aten::mm.dtype").launches > 100);
    engine().configure({.device = "cpu", .threads = 1});
    const Course exact = course(golden, way);
    for (size_t step = 0; step < exact.losses.size(); ++step) {
      CHECK(own.losses[step] == Approx(exact.losses[step]).epsilon(2e-2));
    }
    if (way.policy) CHECK(mean_difference(own.trained, *own.int8) < 0.1);
  }
}

TEST_CASE("on a device layers of one input are one product, with what each gives alone") {
  const at::Device device = GENERATE(from_range(devices()));
  at::manual_seed(3);
  std::optional<Factors> factors;
  if (GENERATE(false, true)) factors.emplace(at::kBFloat16);
  const at::Tensor x = at::randn({2, 5, 8}).to(device);
  std::vector<std::shared_ptr<LinearLayer>> layers;
  std::vector<LinearLayer*> all;
  for (const int64_t out : {6, 6, 4}) {
    layers.push_back(std::make_shared<LinearLayer>(8, out));
    layers.back()->to(device);
    const at::NoGradGuard no_grad;
    layers.back()->weight.normal_();
    all.push_back(layers.back().get());
  }
  if (GENERATE(false, true)) {
    for (const auto& layer : layers) {
      layer->insert_fake_quantizers({});
      layer->forward(x);
      layer->set_fake_quantization(true);
      layer->set_observers(false, false);
      layer->exchange_input_quantizer(layers[0]->fake_quantized().input);
    }
  }
  const auto gradients_of = [&](const auto& forward) {
    std::vector<at::Tensor> found = forward();
    at::cat(found, -1).square().sum().backward();
    for (const auto& layer : layers) {
      found.push_back(layer->weight.grad());
      layer->zero_grad();
    }
    return found;
  };
  const auto products = [] {
    int64_t launches = 0;
    for (const auto& [name, sums] : flowqat::test_device::counts().operators) {
      if (name.find("mm") != std::string::npos) launches += sums.launches;
    }
    return launches;
  };
  flowqat::test_device::reset_counts();
  const auto alone = gradients_of([&] {
    std::vector<at::Tensor> outputs;
    for (LinearLayer* const layer : all) outputs.push_back(layer->forward(x));
    return outputs;
  });
  const int64_t separate = products();
  flowqat::test_device::reset_counts();
  const auto together = gradients_of([&] { return LinearLayer::forward_all(all, x); });
  if (device.is_privateuseone()) CHECK((separate > 0 && 3 * products() == separate));
  REQUIRE(together.size() == alone.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    INFO(i);
    CHECK(at::allclose(together[i].cpu(), alone[i].cpu(), 1e-5, 1e-5));
  }
}
