// The int8 model without LibTorch beside the engine's exact one.
#include <ATen/ops/equal.h>

#include <thread>
#include <vector>

#include "runtime/acoustic_model.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat;
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
  smoothed.feature_extractor->smoothing = smoothed.attention->smoothing =
      smoothed.feed_forward->smoothing = 0.5;
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
  if (model->needs_second_pass()) {
    model->begin_second_pass();
    model->observe(golden.batch());
  }
  model->finish_calibration();
  return model->convert();
}

/// The default policy, but for layers of these names.
std::unique_ptr<Model> int8_model_without(const Golden& golden,
                                          const std::vector<std::string>& names) {
  Policy policy = of_preset("fbgemm", "fbgemm");
  for (const auto& name : names) policy.exceptions.push_back({"*." + name, {}});
  return int8_model(golden, policy);
}

std::unique_ptr<AcousticModel> without_torch(const Model& model, Target target = best_target(),
                                             int threads = 1) {
  return runtime::load(model.config(), model.tensors(), model.quantization(),
                       {.threads = threads, .target = target, .bytes_read = {}});
}

at::Tensor scores(const AcousticModel& model, const AudioBatch& batch) {
  return as_tensor(model.infer(batch));
}

double mean_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().mean().item<double>();
}

std::string any_golden() {
  return GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm", "wav2vec2_variant");
}

/// A sum that lies between two steps falls to either side: now and then a value differs by one
/// step, which later layers spread.
void check_close(const at::Tensor& found, const at::Tensor& expected) {
  const double spread = expected.std().item<double>();
  CHECK(mean_difference(found, expected) < 0.02 * spread);
  CHECK(largest_difference(found, expected) < 0.3 * spread);  // several steps of an int8 head
}

}  // namespace

TEST_CASE("the runtime hears what the exact kernels hear") {
  const Golden golden(any_golden());
  for (const auto& [name, policy] : policies()) {
    INFO(name);
    for (const bool mask : {true, false}) {
      const auto exact = int8_model(golden, policy, mask);
      const auto found = without_torch(*exact);
      check_close(scores(*found, golden.batch()), scores(*exact, golden.batch()));
      CHECK(found->parameter_count() == exact->parameter_count());
      CHECK(found->precision() == Precision::int8);
    }
  }
}

TEST_CASE("any layers may stay in float") {
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
    const auto exact = int8_model_without(golden, left);
    const at::Tensor found = scores(*without_torch(*exact), golden.batch());
    check_close(found, scores(*exact, golden.batch()));
    CHECK_FALSE(at::equal(found, all_int8));
  }
}

TEST_CASE("a factor on the input of a layer of groups is refused, not passed over") {
  const Golden golden("wav2vec2_tiny");
  Policy policy;
  policy.positional_conv = preset("fbgemm");
  const auto model = int8_model(golden, policy);
  nlohmann::json quantization = model->quantization();
  const std::string layer = "wav2vec2.encoder.pos_conv_embed.conv";
  quantization.at("layers").at(layer).at("input_factor") = std::vector<float>(
      static_cast<size_t>(golden.config.hidden_size / golden.config.num_conv_pos_embedding_groups),
      1.0f);
  CHECK_THROWS_WITH(runtime::load(model->config(), model->tensors(), quantization, {}),
                    ContainsSubstring(layer + ".input_factor: expected null"));
}

TEST_CASE("every target and any number of threads bring the same bits") {
  const Golden golden(any_golden());
  for (const auto& [name, policy] : policies()) {
    const auto exact = int8_model(golden, policy);
    const at::Tensor expected = scores(*without_torch(*exact, Target::scalar), golden.batch());
    for (const Target target : targets_here()) {
      INFO(name << ", " << name_of(target));
      CHECK(at::equal(scores(*without_torch(*exact, target), golden.batch()), expected));
      CHECK(at::equal(scores(*without_torch(*exact, target, 3), golden.batch()), expected));
    }
  }
}

TEST_CASE("several threads run one model at once, and hear the same") {
  const Golden golden("wav2vec2_tiny");
  const auto exact = int8_model(golden, {});
  const auto model = without_torch(*exact, best_target(), 2);
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
