// What training draws follows its distribution. The numbers are fixed by the seed: a bound of four
// standard deviations tells an error of the probability, not the luck of a run.
#include "model/torch/operators/dropout.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/corrcoef.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <functional>

#include "model/torch/engine/initialize.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

/// All dropouts 0.
Config still_config() {
  Config config;
  config.hidden_size = config.intermediate_size = 64;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 4;
  config.vocab_size = 64;
  config.conv_dim = {16, 16};
  config.conv_kernel = {10, 3};
  config.conv_stride = {5, 2};
  config.num_conv_pos_embeddings = 8;
  config.num_conv_pos_embedding_groups = 4;
  config.hidden_dropout = config.activation_dropout = config.attention_dropout = 0;
  config.feat_proj_dropout = config.final_dropout = config.layerdrop = 0;
  return config;
}

/// Parameters away from zero, so that a zero is a dropped element.
template <class Module>
void randomize(Module& module) {
  const at::NoGradGuard no_grad;
  for (const at::Tensor& parameter : module.parameters()) parameter.normal_(0.5, 1);
}

void set_identity(LinearLayer& layer) {
  const at::NoGradGuard no_grad;
  layer.weight.copy_(at::eye(layer.weight.size(0)));
  layer.bias.zero_();
}

/// `dropped` is `kept` with a share p of its elements zero and the others divided by 1 - p.
void check_dropout(const at::Tensor& dropped, const at::Tensor& kept, double p) {
  REQUIRE(dropped.sizes() == kept.sizes());
  REQUIRE((kept == 0).sum().item<int64_t>() == 0);
  const at::Tensor zero = dropped == 0;
  const auto count = static_cast<double>(kept.numel());
  const double share = static_cast<double>(zero.sum().item<int64_t>()) / count;
  CHECK(std::abs(share - p) < 4 * std::sqrt(p * (1 - p) / count));
  const at::Tensor expected = (kept / (1 - p)).masked_fill(zero, 0);
  CHECK(largest_difference(dropped, expected) < 1e-5 * expected.abs().max().item<double>());
  // As many in either half: neighbours and rows draw for themselves.
  const double half = static_cast<double>(zero.flatten().chunk(2)[0].sum().item<int64_t>());
  CHECK(std::abs(2 * half / count - p) < 4 * std::sqrt(2 * p * (1 - p) / count));
}

/// Forward in training against forward in evaluation mode.
template <class Module>
void check_module(Module& module, const std::function<at::Tensor()>& forward, double p) {
  at::manual_seed(11);
  const at::NoGradGuard no_grad;
  module.eval();
  const at::Tensor kept = forward();
  CHECK(at::equal(forward(), kept));
  module.train();
  const at::Tensor dropped = forward();
  check_dropout(dropped, kept, p);
  CHECK_FALSE(at::equal(forward(), dropped));
}

}  // namespace

TEST_CASE("the feature projection drops its output's elements with feat_proj_dropout", "[level]") {
  Config config = still_config();
  config.feat_proj_dropout = 0.3;
  FeatureProjection projection(config);
  randomize(projection);
  const at::Tensor features = at::randn({4, 100, 16});
  check_module(
      projection, [&] { return projection.forward(features); }, 0.3);
}

TEST_CASE("the feed-forward network drops with activation_dropout inside, hidden_dropout behind",
          "[level]") {
  Config config = still_config();
  const bool inside = GENERATE(true, false);
  (inside ? config.activation_dropout : config.hidden_dropout) = 0.2;
  FeedForward network(config);
  for (const auto& child : network.children()) set_identity(*child.module->as<LinearLayer>());
  const at::Tensor x = at::rand({4, 100, 64}) + 0.5;
  check_module(
      network, [&] { return network.forward(x, at::zeros_like(x)); }, 0.2);
}

TEST_CASE("an encoder layer drops elements of what attention gave with hidden_dropout", "[level]") {
  Config config = still_config();
  config.do_stable_layer_norm = true;
  config.hidden_dropout = 0.4;
  EncoderLayer layer(config);
  {
    const at::NoGradGuard no_grad;
    // Attention gives its output's bias alone, the feed-forward network nothing.
    for (const at::Tensor& parameter : layer.parameters()) parameter.zero_();
    layer.parameter("attention.out_proj.bias").normal_(1, 0.1);
  }
  const at::Tensor x = at::zeros({4, 100, 64});
  check_module(
      layer, [&] { return layer.forward(x, {}); }, 0.4);
}

TEST_CASE("attention drops its weights with attention_dropout", "[level]") {
  constexpr double p = 0.25;
  constexpr int64_t rows = 8, frames = 50;
  Config config = still_config();
  config.attention_dropout = p;
  Attention attention(config);
  {
    // All weights equal, all values 1: a frame's output is the share of the weights that were kept.
    const at::NoGradGuard no_grad;
    for (const at::Tensor& parameter : attention.parameters()) parameter.zero_();
    attention.parameter("v_proj.bias").fill_(1);
    attention.parameter("out_proj.weight").copy_(at::eye(64));
  }
  at::manual_seed(5);
  attention.train();
  const at::NoGradGuard no_grad;
  const at::Tensor output = attention.forward(at::randn({rows, frames, 64}), {});
  // A head's channels share its draws: one of each head.
  const at::Tensor shares = output.view({rows, frames, 4, 16}).select(3, 0).to(at::kDouble);
  const auto count = static_cast<double>(shares.numel());
  const double variance = p / (1 - p) / frames;
  CHECK(std::abs(shares.mean().item<double>() - 1) < 4 * std::sqrt(variance / count));
  CHECK(shares.var().item<double>() == Approx(variance).epsilon(4 * std::sqrt(2 / count)));
  attention.eval();
  CHECK(largest_difference(attention.forward(at::randn({rows, frames, 64}), {}),
                           at::ones({rows, frames, 64})) < 1e-5);
}

TEST_CASE(
    "the encoder drops its first layer's input with hidden_dropout, the head its own with "
    "final_dropout",
    "[level]") {
  Config config = still_config();
  const bool is_final = GENERATE(true, false);
  config.do_stable_layer_norm = GENERATE(true, false);
  config.num_hidden_layers = 0;
  (is_final ? config.final_dropout : config.hidden_dropout) = 0.15;
  Wav2Vec2ForCtc network(config);
  initialize(network, config, 3, 0);
  {
    const at::NoGradGuard no_grad;
    network.head().weight.copy_(at::eye(64));
    network.head().bias.zero_();
  }
  const NetworkInput input{at::randn({4, 1000}), {}, {}, {}};
  check_module(
      network,
      [&] {
        std::vector<at::Tensor> hidden;
        const at::Tensor scores = network.forward(input, &hidden);
        return is_final ? scores : hidden.front();
      },
      0.15);
}

TEST_CASE("layerdrop skips each layer with its probability, whatever it does with the others",
          "[level]") {
  constexpr double p = 0.3;
  constexpr int64_t layers = 6, forwards = 600;
  Config config = still_config();
  config.num_hidden_layers = layers;
  config.layerdrop = p;
  config.do_stable_layer_norm = GENERATE(true, false);
  Encoder encoder(config);
  randomize(encoder);
  const at::Tensor x = at::randn({1, 4, 64});
  const at::NoGradGuard no_grad;
  at::manual_seed(2);
  encoder.train();
  at::Tensor skipped = at::zeros({forwards, layers}, at::kDouble);
  for (int64_t i = 0; i < forwards; ++i) {
    std::vector<at::Tensor> hidden;
    encoder.forward(x, {}, &hidden);
    REQUIRE(hidden.size() == layers + 1);
    for (int64_t layer = 0; layer < layers; ++layer) {
      skipped[i][layer] = at::equal(hidden[layer], hidden[layer + 1]) ? 1 : 0;
    }
  }
  const double deviation = std::sqrt(p * (1 - p) / forwards);
  CHECK((skipped.mean(0) - p).abs().max().item<double>() < 4 * deviation);
  CHECK(std::abs(skipped.mean().item<double>() - p) < 4 * deviation / std::sqrt(layers));
  // Layers are independent: no two of them are skipped together more often than by chance.
  const at::Tensor correlation = at::corrcoef(skipped.t()) - at::eye(layers, at::kDouble);
  CHECK(correlation.abs().max().item<double>() < 4 / std::sqrt(forwards));

  encoder.eval();
  std::vector<at::Tensor> hidden;
  encoder.forward(x, {}, &hidden);
  for (int64_t layer = 0; layer < layers; ++layer) {
    CHECK_FALSE(at::equal(hidden[layer], hidden[layer + 1]));
  }
}

TEST_CASE("dropout is the same at any number of threads, and backward drops what forward dropped",
          "[level]") {
  const int threads = at::get_num_threads();
  // 1 and 63 end inside a block of numbers; the others are shared out among threads.
  for (const int64_t size : {1, 63, 64, 100'003, 1'000'000}) {
    const at::Tensor x = at::rand({size}) + 0.5, residual = at::randn({size});
    std::vector<at::Tensor> outputs, gradients;
    for (const int count : {1, 2, 3}) {
      at::set_num_threads(count);
      at::manual_seed(9);
      const at::Tensor leaf = x.clone().requires_grad_();
      const at::Tensor base = residual.clone().requires_grad_();
      outputs.push_back(add_dropout(leaf, base, 0.3, true));
      outputs.back().backward(at::full({size}, 2.0f));
      gradients.push_back(leaf.grad());
      CHECK(at::equal(base.grad(), at::full({size}, 2.0f)));
    }
    at::set_num_threads(threads);
    const at::Tensor scales = (outputs[0].detach() - residual) / x;
    CHECK(largest_difference(scales * 2, gradients[0]) < 1e-4);
    for (const size_t i : {1, 2}) {
      CHECK(at::equal(outputs[i], outputs[0]));
      CHECK(at::equal(gradients[i], gradients[0]));
    }
  }
}

TEST_CASE("dropout without probability or outside of training is its input", "[level]") {
  const at::Tensor x = at::randn({5, 7}), residual = at::randn({5, 7});
  const at::Generator& generator = at::detail::getDefaultCPUGenerator();
  const at::Tensor before = generator.get_state();
  CHECK(at::equal(apply_dropout(x, 0, true), x));
  CHECK(at::equal(apply_dropout(x, 0.5, false), x));
  CHECK(at::equal(add_dropout(x, residual, 0, true), x + residual));
  CHECK(at::equal(generator.get_state(), before));
  CHECK(apply_dropout(x, 1, true).abs().max().item<float>() == 0);
  CHECK(apply_dropout(x.to(at::kDouble), 0.5, true).scalar_type() == at::kDouble);
}

TEST_CASE("dropout draws each element by itself, and anew at each call", "[level]") {
  constexpr double p = 0.1;
  constexpr int64_t size = 1 << 20;
  at::manual_seed(4);
  const at::Tensor ones = at::ones({size});
  const auto drawn = [&] { return (apply_dropout(ones, p, true) == 0).to(at::kDouble) - p; };
  const at::Tensor first = drawn(), second = drawn();
  const double bound = 4 * p * (1 - p) / std::sqrt(static_cast<double>(size));
  CHECK(std::abs((first * second).mean().item<double>()) < bound);
  // Neighbours in memory, in a register, in a block, and in the next ones.
  for (const int64_t distance : {1, 2, 7, 8, 16, 31, 32, 64, 128, 768, 3072, 4096, 65536}) {
    INFO(distance);
    CHECK(std::abs((first * first.roll(distance)).mean().item<double>()) < bound);
  }
}
