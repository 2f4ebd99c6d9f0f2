// Layers of which only the input is kept for the backward.
#include <ATen/ops/randn.h>
#include <malloc.h>

#include <nlohmann/json.hpp>

#include "model/torch/base/tensor_memory.h"
#include "tests/catch.h"
#include "tests/model/engine/calibrated.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

/// Draws in training: dropouts and layerdrop on.
std::unique_ptr<Model> drawing(const std::string& name) {
  const Golden golden(name);
  Config config = golden.config;
  config.attention_mask = true;
  config.hidden_dropout = config.attention_dropout = config.activation_dropout = 0.2;
  config.layerdrop = 0.3;
  return test_engine().load(config, golden.weights, nullptr);
}

struct Result {
  Tensors weights, optimizer;
  nlohmann::json quantization;
  bool operator==(const Result& other) const {
    return same(weights, other.weights) && same(optimizer, other.optimizer) &&
           quantization == other.quantization;
  }
};

Result trained(Model& model, const Golden& golden, TrainOptions options, bool checkpointing) {
  options.gradient_checkpointing = checkpointing;
  const auto trainer = model.trainer(options);
  for (uint64_t step = 0; step < 6; ++step) trainer->step(golden.masked_batch(), 1e-3, step);
  return {model.tensors(), trainer->state(), model.quantization()};
}

/// Bytes in use by the process, whatever they were asked for with.
double bytes_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd + tensor_heap_bytes());
}

}  // namespace

TEST_CASE("layers computed again give the same bits, with dropout and layerdrop", "[level]") {
  const std::string name = either_golden();
  const Golden golden(name);
  const auto plain = drawing(name), checkpointed = drawing(name), again = drawing(name);
  const Result expected = trained(*plain, golden, {.clip_norm = 0.5}, false);
  CHECK(trained(*checkpointed, golden, {.clip_norm = 0.5}, true) == expected);
  // The comparison sees a difference of a single draw.
  const auto trainer = again->trainer({.clip_norm = 0.5});
  for (uint64_t step = 0; step < 6; ++step) {
    trainer->step(golden.masked_batch(), 1e-3, step == 5 ? 6 : step);
  }
  CHECK_FALSE(same(again->tensors(), expected.weights));
}

TEST_CASE("layers computed again give the same bits where all before them is frozen", "[level]") {
  const std::string name = "wav2vec2_tiny";
  const Golden golden(name);
  TrainOptions options;
  options.groups = {{.match = "*", .frozen = true}, {.match = "*.layers.*", .frozen = false}};
  const auto plain = drawing(name), checkpointed = drawing(name);
  CHECK(trained(*checkpointed, golden, options, true) == trained(*plain, golden, options, false));
}

TEST_CASE("fake quantizers of layers computed again observe once and round alike", "[level]") {
  const std::string name = "wav2vec2_tiny";
  const Golden golden(name);
  const bool learned = GENERATE(false, true), rounding = GENERATE(false, true);
  const bool following = GENERATE(false, true);
  CAPTURE(learned, rounding, following);
  LayerScheme scheme = preset("fbgemm");
  scheme.averaging_constant = 0.3;
  scheme.learned_step = learned;
  Policy policy;
  policy.attention = policy.feed_forward = scheme;
  const auto make = [&] {
    auto model = drawing(name);
    model->insert_fake_quantizers(policy);
    model->observe(golden.batch());
    model->finish_calibration();
    model->set_activation_observers(following);
    model->set_fake_quantization(rounding);
    return model;
  };
  const auto plain = make(), checkpointed = make();
  CHECK(trained(*checkpointed, golden, {}, true) == trained(*plain, golden, {}, false));
}

TEST_CASE("layers computed again keep less memory for the backward") {
  Config config;
  config.hidden_size = 64;
  config.num_hidden_layers = 8;
  config.num_attention_heads = 4;
  config.intermediate_size = 256;
  test_engine();
  Encoder encoder(config);
  const at::Tensor x = at::randn({4, 100, 64}).requires_grad_();
  const auto kept_by_forward = [&](bool checkpointing) {
    encoder.set_gradient_checkpointing(checkpointing);
    const double before = bytes_in_use();
    const at::Tensor y = encoder.forward(x, {});
    return bytes_in_use() - before;
  };
  kept_by_forward(false);  // whatever is made once a process
  const double plain = kept_by_forward(false), checkpointed = kept_by_forward(true);
  CAPTURE(plain, checkpointed);
  const double input = 4 * 100 * 64 * sizeof(float);
  // A layer keeps a dozen tensors of its width and as many of its heads' scores; else one, and
  // the positional convolution and the last norm what they keep in both.
  CHECK(plain > 8 * 12 * input);
  CHECK(checkpointed < 0.35 * plain);
}
