/// Queries, keys and values in training: one input, rounded once.
#include "model/torch/training/shared_inputs.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/torch/engine/torch_model.h"
#include "model/torch/network/layers.h"
#include "tests/catch.h"
#include "tests/model/engine/calibrated.h"

using namespace flowqat::model;

namespace {

const std::string kAttention = "wav2vec2.encoder.layers.0.attention.";

FakeQuantizer* input_of(Model& model, const std::string& part) {
  for (const auto& [name, layer] :
       dynamic_cast<TorchModel&>(model).network().quantizable_layers()) {
    if (name == kAttention + part) return layer->fake_quantized().input.get();
  }
  return nullptr;
}

nlohmann::json input_state(const Model& model, const std::string& part) {
  return model.quantization().at("layers").at(kAttention + part).at("input");
}

std::unique_ptr<Model> reloaded(const Model& model, const nlohmann::json& quantization) {
  return test_engine().load(model.config(), model.tensors(), quantization);
}

std::vector<std::shared_ptr<LinearLayer>> three_layers() {
  std::vector<std::shared_ptr<LinearLayer>> layers;
  for (const int64_t out : {6, 6, 4}) {
    layers.push_back(std::make_shared<LinearLayer>(8, out));
    const at::NoGradGuard no_grad;
    layers.back()->weight.normal_();
    layers.back()->bias.normal_();
  }
  return layers;
}

std::vector<LinearLayer*> bare(const std::vector<std::shared_ptr<LinearLayer>>& layers) {
  std::vector<LinearLayer*> all;
  for (const auto& layer : layers) all.push_back(layer.get());
  return all;
}

}  // namespace

TEST_CASE("layers of one input give what each gives alone, with its gradients") {
  at::manual_seed(3);
  const bool quantized = GENERATE(false, true);
  const auto layers = three_layers();
  const at::Tensor x = at::randn({2, 5, 8});
  if (quantized) {
    for (const auto& layer : layers) {
      layer->insert_fake_quantizers({});
      layer->forward(x);
      layer->set_fake_quantization(true);
      layer->set_observers(false, false);
    }
    for (const size_t other : {1, 2}) {
      layers[other]->exchange_input_quantizer(layers[0]->fake_quantized().input);
    }
  }
  const auto gradients_of = [&](const auto& forward) {
    const at::Tensor input = x.clone().requires_grad_();
    const std::vector<at::Tensor> outputs = forward(input);
    std::vector<at::Tensor> all = outputs;
    at::Tensor loss;
    for (const at::Tensor& output : outputs) {
      const at::Tensor part = output.square().sum();
      loss = loss.defined() ? loss + part : part;
    }
    loss.backward();
    all.push_back(input.grad());
    for (const auto& layer : layers) {
      all.push_back(layer->weight.grad().clone());
      all.push_back(layer->bias.grad().clone());
      layer->zero_grad();
    }
    return all;
  };
  const auto alone = gradients_of([&](const at::Tensor& input) {
    std::vector<at::Tensor> outputs;
    for (const auto& layer : layers) outputs.push_back(layer->forward(input));
    return outputs;
  });
  const auto together = gradients_of(
      [&](const at::Tensor& input) { return LinearLayer::forward_all(bare(layers), input); });
  REQUIRE(together.size() == alone.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    INFO(i);
    CHECK(at::allclose(together[i], alone[i], 1e-5, 1e-5));
  }
}

TEST_CASE("an input that layers share is observed once a batch, and is each one's own afterwards") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden), alone = calibrated(golden);
  model->set_activation_observers(true);
  CHECK(input_of(*model, "q_proj") != input_of(*model, "k_proj"));
  {
    const auto trainer = model->trainer({});
    CHECK(input_of(*model, "q_proj") == input_of(*model, "k_proj"));
    CHECK(input_of(*model, "q_proj") == input_of(*model, "v_proj"));
    trainer->step(golden.batch(), 1e-3, 1);
    CHECK(input_state(*model, "q_proj") != input_state(*alone, "q_proj"));
    CHECK(input_state(*model, "q_proj") == input_state(*model, "v_proj"));
  }
  CHECK(input_of(*model, "q_proj") != input_of(*model, "k_proj"));
  CHECK(input_state(*model, "q_proj") == input_state(*model, "k_proj"));
  model->fake_quantize_only({kAttention + "k_proj"});
  CHECK(input_of(*model, "k_proj")->fake_quantization_on());
  CHECK_FALSE(input_of(*model, "q_proj")->fake_quantization_on());
}

TEST_CASE("layers whose inputs have come to different grids go on with their own") {
  const Golden golden("wav2vec2_tiny");
  const auto first = calibrated(golden);
  nlohmann::json edited = first->quantization();
  nlohmann::json& input = edited.at("layers").at(kAttention + "q_proj").at("input");
  input.at("scale") = 2 * input.at("scale").get<double>();
  const auto model = reloaded(*first, edited);
  const nlohmann::json q = input_state(*model, "q_proj");
  const auto trainer = model->trainer({});
  CHECK(input_of(*model, "k_proj") == input_of(*model, "v_proj"));
  CHECK(input_of(*model, "k_proj") != input_of(*model, "q_proj"));
  trainer->step(golden.batch(), 1e-3, 1);
  CHECK(input_state(*model, "q_proj") == q);
  CHECK(q != input_state(*model, "k_proj"));
}
