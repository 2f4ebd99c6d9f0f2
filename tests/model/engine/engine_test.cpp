#include <cmath>
#include <filesystem>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"
#include "tests/skip.h"

using namespace flowqat::model;

TEST_CASE("the engine tells device, threads, version and instructions") {
  Engine& engine = test_engine();
  engine.configure({.device = "cpu", .threads = 2});
  CHECK(engine.threads() == 2);
  engine.configure({.device = "cpu", .threads = 1});
  CHECK(engine.device() == "cpu");
  CHECK(engine.threads() == 1);
  CHECK_THAT(engine.libtorch_version(), ContainsSubstring("2."));
  CHECK_FALSE(engine.instruction_set().empty());
}

TEST_CASE("a device or thread count that is not there is refused") {
  Engine& engine = test_engine();
  REQUIRE_THROWS_WITH(
      engine.configure({.device = "tpu"}),
      ContainsSubstring("auto, cpu, cuda or cuda:1 (the second GPU), found \"tpu\""));
  REQUIRE_THROWS_WITH(
      engine.configure({.precision = "fp8"}),
      ContainsSubstring("precision must be float32, tf32, bf16 or fp16, found \"fp8\""));
  REQUIRE_THROWS_WITH(engine.configure({.threads = -1}), ContainsSubstring("threads must be 0"));
  if (std::filesystem::exists("/dev/nvidia0")) {
    return flowqat::testing::skip("a GPU is here, so its absence cannot be tested");
  }
  REQUIRE_THROWS_WITH(engine.configure({.device = "cuda"}),
                      ContainsSubstring("device cuda is not there"));
  CHECK(engine.device() == "cpu");
}

TEST_CASE("fresh weights depend on the seed alone and follow Hugging Face's rules") {
  Config config;
  config.hidden_size = 128;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 4;
  config.intermediate_size = 512;
  config.conv_dim = {64, 128};
  config.conv_kernel = {10, 3};
  config.conv_stride = {5, 2};
  config.conv_bias = true;
  config.initializer_range = 0.06;
  const auto model = test_engine().create(config, 7);
  CHECK(same(model->tensors(), test_engine().create(config, 7)->tensors()));
  CHECK_FALSE(same(model->tensors(), test_engine().create(config, 8)->tensors()));

  const auto tensors = by_name(model->tensors());
  const auto value = [&](const std::string& name) { return from_tensor(tensors.at(name)); };
  const auto spread = [&](const std::string& name) { return value(name).std().item<double>(); };
  const auto bound = [&](const std::string& name) {
    return value(name).abs().max().item<double>();
  };
  const std::string encoder = "wav2vec2.encoder.", features = "wav2vec2.feature_";
  CHECK(spread(encoder + "layers.0.attention.q_proj.weight") == Approx(0.06).epsilon(0.05));
  CHECK(spread("lm_head.weight") == Approx(0.06).epsilon(0.05));
  CHECK(bound("lm_head.bias") == 0);
  CHECK(spread(features + "extractor.conv_layers.1.conv.weight") ==
        Approx(std::sqrt(2.0 / (64 * 3))).epsilon(0.05));
  const double bias = bound(features + "extractor.conv_layers.1.conv.bias");
  CHECK(bias <= std::sqrt(1.0 / (64 * 3)));
  CHECK(bias > 0.9 * std::sqrt(1.0 / (64 * 3)));
  CHECK(bound(features + "projection.projection.weight") <= std::sqrt(1.0 / 128));
  CHECK(spread(features + "projection.projection.weight") ==
        Approx(std::sqrt(1.0 / 128 / 3)).epsilon(0.05));
  CHECK(bound(features + "extractor.conv_layers.0.layer_norm.weight") == 1);
  CHECK(bound(encoder + "layer_norm.bias") == 0);
  const at::Tensor direction =
      value(encoder + "pos_conv_embed.conv.parametrizations.weight.original1");
  const at::Tensor gain = value(encoder + "pos_conv_embed.conv.parametrizations.weight.original0");
  CHECK(direction.std().item<double>() == Approx(2 * std::sqrt(1.0 / (128 * 128))).epsilon(0.05));
  CHECK(largest_difference(gain, direction.square().sum(at::IntArrayRef{0, 1}, true).sqrt()) <
        1e-5);
}

TEST_CASE("a blank bias changes the head's bias for the blank and nothing else") {
  Config config;
  config.hidden_size = 32;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 4;
  config.pad_token_id = 3;
  const auto plain = by_name(test_engine().create(config, 7)->tensors());
  const auto biased = by_name(test_engine().create(config, 7, 4)->tensors());
  for (const auto& [name, tensor] : biased) {
    const at::Tensor difference = from_tensor(tensor) - from_tensor(plain.at(name));
    if (name != "lm_head.bias") CHECK(difference.abs().max().item<double>() == 0);
    if (name == "lm_head.bias") CHECK(difference[3].item<double>() == 4);
    if (name == "lm_head.bias") CHECK(difference.sum().item<double>() == 4);
  }
}

TEST_CASE("base has 94,395,552 parameters without its mask embedding") {
  Config config;
  config.mask_time_prob = 0;
  CHECK(test_engine().create(config, 1)->parameter_count() == 94395552);
}
