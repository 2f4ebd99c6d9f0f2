// What parts of a model learn, and how fast.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

using Named = std::map<std::string, Tensor>;

const std::string kExtractor = "wav2vec2.feature_extractor.";
const std::string kEmbedding = "wav2vec2.masked_spec_embed";

struct Trained {
  Named weights, state;
};

/// Weights and optimizer after `steps` of masked training at `rate`.
Trained trained(const TrainOptions& options, double rate = 1e-3, int steps = 1,
                bool head_only = false) {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto trainer = model->trainer(options);
  trainer->train_head_only(head_only);
  for (int i = 0; i < steps; ++i) {
    trainer->step(golden.masked_batch(), rate, static_cast<uint64_t>(i));
  }
  return {by_name(model->tensors()), by_name(trainer->state())};
}

at::Tensor gradient(const Trained& after_one_step, const std::string& name) {
  return from_tensor(after_one_step.state.at(name + ".exp_avg")) / 0.1;
}

bool is_head(const std::string& name) { return name.starts_with("lm_head."); }

}  // namespace

TEST_CASE("a group's parameters learn at their own rate and decay, the others as ever", "[level]") {
  const TrainOptions plain{.weight_decay = 0.1};
  TrainOptions grouped = plain;
  grouped.groups = {{.match = "lm_head.*", .lr_factor = 10.0},
                    {.match = "*.layers.0.*", .weight_decay = 0.0},
                    {.match = "lm_head.bias", .weight_decay = 0.5}};
  const Trained found = trained(grouped), usual = trained(plain), fast = trained(plain, 1e-2),
                undecayed = trained({.weight_decay = 0}),
                decayed = trained({.weight_decay = 0.5}, 1e-2);
  for (const auto& [name, tensor] : found.weights) {
    INFO(name);
    const Trained& expected = name == "lm_head.bias"                         ? decayed
                              : is_head(name)                                ? fast
                              : name.find(".layers.0.") != std::string::npos ? undecayed
                                                                             : usual;
    CHECK(same({tensor}, {expected.weights.at(name)}));
  }
}

TEST_CASE(
    "a frozen group stays as it is, costs the optimizer nothing and changes no other gradient",
    "[level]") {
  const Golden golden("wav2vec2_tiny");
  const Named before = by_name(golden.weights);
  TrainOptions options{.weight_decay = 0.1};
  const Trained usual = trained(options);
  options.groups = {{.match = "*", .frozen = true}, {.match = "*.layers.1.*", .frozen = false}};
  const Trained found = trained(options);
  for (const auto& [name, tensor] : found.weights) {
    INFO(name);
    const bool learns = name.find(".layers.1.") != std::string::npos;
    CHECK(same({tensor}, {(learns ? usual.weights : before).at(name)}));
    CHECK(found.state.contains(name + ".exp_avg") == learns);
  }
}

TEST_CASE("the gradient of the feature extractor alone is scaled, and 0 freezes it", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const Named before = by_name(golden.weights);
  const Trained usual = trained({}), scaled = trained({.feature_gradient_scale = 0.25}),
                frozen = trained({.weight_decay = 0.1, .feature_gradient_scale = 0});
  int extractor = 0;
  for (const auto& [name, tensor] : usual.weights) {
    INFO(name);
    const bool is_extractor = name.starts_with(kExtractor);
    extractor += is_extractor;
    const at::Tensor expected = gradient(usual, name) * (is_extractor ? 0.25 : 1);
    CHECK(at::allclose(gradient(scaled, name), expected, 1e-4, 1e-9));
    if (!is_extractor) CHECK(at::equal(gradient(scaled, name), gradient(usual, name)));
    CHECK(same({frozen.weights.at(name)}, {before.at(name)}) == is_extractor);
    CHECK(frozen.state.contains(name + ".exp_avg") == !is_extractor);
  }
  CHECK(extractor == 3 + 2);
}

TEST_CASE(
    "while the head alone is trained, its gradient is what it would be, and no other is there",
    "[level]") {
  const Golden golden("wav2vec2_tiny");
  const Named before = by_name(golden.weights);
  const Trained usual = trained({.weight_decay = 0.1}),
                found = trained({.weight_decay = 0.1}, 1e-3, 1, true);
  for (const auto& [name, tensor] : found.weights) {
    INFO(name);
    CHECK(same({tensor}, {(is_head(name) ? usual.weights : before).at(name)}));
    const at::Tensor steps = from_tensor(found.state.at(name + ".step"));
    CHECK(steps.item<int64_t>() == is_head(name));
  }
}

TEST_CASE("all else learns once the head is no longer alone", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  const auto trainer = model->trainer({});
  trainer->train_head_only(true);
  trainer->step(golden.masked_batch(), 1e-3, 1);
  const Named before = by_name(model->tensors());
  trainer->train_head_only(false);
  trainer->step(golden.masked_batch(), 1e-3, 2);
  for (const auto& [name, tensor] : by_name(model->tensors())) {
    INFO(name);
    CHECK_FALSE(same({tensor}, {before.at(name)}));
  }
}

TEST_CASE("the loss of fairseq's recipes is the sum over the utterances' number", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto loss = [&](CtcReduction reduction) {
    const auto model = golden.load(true);
    const auto trainer = model->trainer({.reduction = reduction});
    trainer->step(golden.masked_batch(), 0, 1);
    return trainer->metrics().loss;
  };
  const auto rows = static_cast<double>(golden.batch().rows);
  REQUIRE(rows > 1);
  CHECK(loss(CtcReduction::utterances) == Approx(loss(CtcReduction::sum) / rows));
}

TEST_CASE("a trainer begins with nothing of what another one froze", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  TrainOptions options{.feature_gradient_scale = 0};
  options.groups = {{.match = "lm_head.*", .frozen = true}};
  {
    const auto trainer = model->trainer(options);
    trainer->train_head_only(true);
  }
  const auto copy = model->clone();
  const auto trainer = copy->trainer({});
  trainer->step(golden.masked_batch(), 1e-3, 1);
  const Named before = by_name(golden.weights);
  for (const auto& [name, tensor] : by_name(copy->tensors())) {
    INFO(name);
    CHECK_FALSE(same({tensor}, {before.at(name)}));
  }
}

TEST_CASE("a group that matches nothing is refused, and so is one that freezes everything") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  TrainOptions options;
  options.groups = {{.match = "lm_heads.*", .frozen = true}};
  REQUIRE_THROWS_WITH(model->trainer(options),
                      ContainsSubstring("\"lm_heads.*\" matches no parameter") &&
                          ContainsSubstring("lm_head.bias"));
  options.groups = {{.match = "*", .frozen = true}};
  REQUIRE_THROWS_WITH(model->trainer(options), ContainsSubstring("every parameter is frozen"));
}
