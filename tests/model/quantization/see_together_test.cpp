#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "model/torch/quantization/fake_quantizer.h"
#include "tests/catch.h"

using namespace flowqat::model;

TEST_CASE("many weights seen together leave the bits that each leaves alone", "[level]") {
  at::manual_seed(5);
  const auto symmetric = [](int64_t channels) {
    return FakeQuantizerOptions::weight({}, channels);
  };
  const auto affine = [](int64_t channels) {
    return FakeQuantizerOptions::weight({.symmetric_weights = false}, channels);
  };
  const std::vector<FakeQuantizerOptions> options = {symmetric(7),  affine(5), symmetric(64),
                                                     symmetric(33), affine(9), symmetric(0)};
  std::vector<std::unique_ptr<FakeQuantizer>> alone, together;
  for (const auto& one : options) {
    alone.push_back(std::make_unique<FakeQuantizer>(one));
    together.push_back(std::make_unique<FakeQuantizer>(one));
  }
  for (int step = 0; step < 4; ++step) {
    INFO("step " << step);
    std::vector<at::Tensor> weights;
    std::vector<FakeQuantizer::Sight> sights;
    for (size_t i = 0; i < options.size(); ++i) {
      weights.push_back(at::randn({std::max<int64_t>(options[i].channels, 3), 4, 3}) * (step + 1));
      sights.push_back({together[i].get(), weights[i]});
    }
    FakeQuantizer::see_together(sights);
    for (size_t i = 0; i < options.size(); ++i) {
      INFO("quantizer " << i);
      CHECK(at::equal(together[i]->forward(weights[i]), alone[i]->forward(weights[i])));
      CHECK(at::equal(together[i]->min_val(), alone[i]->min_val()));
      CHECK(at::equal(together[i]->max_val(), alone[i]->max_val()));
      CHECK(at::equal(together[i]->scale(), alone[i]->scale()));
      CHECK(at::equal(together[i]->zero_point(), alone[i]->zero_point()));
      if (step > 0) continue;
      // The first step calibrates.
      for (auto* one : {together[i].get(), alone[i].get()}) one->set_fake_quantization(true);
    }
  }
  // Frozen, they see nothing.
  const at::Tensor before = together[0]->scale().clone();
  together[0]->set_observer(false);
  FakeQuantizer::see_together({{together[0].get(), at::randn({7, 100}) * 50}});
  CHECK(at::equal(together[0]->scale(), before));
}
