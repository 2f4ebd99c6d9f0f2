// Checkpoints of transformers' other classes, and heads that do not fit.
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

bool is_head(const Tensor& tensor) { return tensor.name.starts_with("lm_head."); }

Tensors without_head(Tensors tensors) {
  std::erase_if(tensors, is_head);
  return tensors;
}

std::unique_ptr<Model> load(const Config& config, const Tensors& tensors,
                            const LoadOptions& options, std::vector<std::string>& notes) {
  return test_engine().load(config, tensors, nullptr, options, &notes);
}

}  // namespace

TEST_CASE("a checkpoint without a head gets one only where that is asked for") {
  const Golden golden("wav2vec2_tiny");
  const Tensors pretrained = without_head(golden.weights);
  std::vector<std::string> notes;
  REQUIRE_THROWS_WITH(load(golden.config, pretrained, {}, notes),
                      ContainsSubstring("missing \"lm_head.bias\"") &&
                          ContainsSubstring("missing \"lm_head.weight\" (a checkpoint that was "
                                            "only pretrained recognises nothing"));
  const LoadOptions draw{.head = Head::file_or_fresh, .seed = 4, .blank_bias = 2};
  const auto model = load(golden.config, pretrained, draw, notes);
  CHECK(notes ==
        std::vector<std::string>{"the checkpoint has no CTC head: drew one for 12 tokens"});
  CHECK(same(without_head(model->tensors()), pretrained));
  const auto tensors = by_name(model->tensors());
  CHECK(from_tensor(tensors.at("lm_head.weight")).std().item<double>() ==
        Approx(golden.config.initializer_range).epsilon(0.15));
  const at::Tensor bias = from_tensor(tensors.at("lm_head.bias"));
  CHECK(bias[0].item<double>() == 2);
  CHECK(bias.abs().sum().item<double>() == 2);
  CHECK(same(load(golden.config, pretrained, draw, notes)->tensors(), model->tensors()));
  CHECK_FALSE(same(
      load(golden.config, pretrained, {.head = Head::file_or_fresh, .seed = 5}, notes)->tensors(),
      model->tensors()));
}

TEST_CASE("a head for another number of tokens is replaced, one that fits is kept") {
  const Golden golden("wav2vec2_tiny");
  std::vector<std::string> notes;
  const auto kept = load(golden.config, golden.weights, {.head = Head::file_or_fresh}, notes);
  CHECK(notes.empty());
  CHECK(same(kept->tensors(), golden.weights));

  const Config larger = golden.config.with_vocabulary(40, 39);
  const auto model = load(larger, golden.weights, {.head = Head::file_or_fresh}, notes);
  CHECK(notes == std::vector<std::string>{"the checkpoint's CTC head is for 12 tokens: drew a new "
                                          "one for 40 tokens"});
  CHECK(same(without_head(model->tensors()), without_head(golden.weights)));
  CHECK(model->infer(golden.batch()).vocabulary == 40);
  REQUIRE_THROWS_WITH(load(larger, golden.weights, {}, notes),
                      ContainsSubstring("\"lm_head.bias\" has shape [12], expected [40]") &&
                          ContainsSubstring("\"lm_head.weight\" has shape [12, 32], expected"));

  notes.clear();
  const auto fresh = load(golden.config, golden.weights, {.head = Head::fresh}, notes);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], ContainsSubstring("CTC head is for other tokens"));
  CHECK_FALSE(same(fresh->tensors(), golden.weights));
}

TEST_CASE("a head that is damaged, not merely another's, is an error even where one may be drawn") {
  Golden golden("wav2vec2_tiny");
  std::vector<std::string> notes;
  std::erase_if(golden.weights, [](const Tensor& t) { return t.name == "lm_head.bias"; });
  REQUIRE_THROWS_WITH(load(golden.config, golden.weights, {.head = Head::file_or_fresh}, notes),
                      ContainsSubstring("missing \"lm_head.bias\""));
  golden.weights.push_back(to_tensor("lm_head.bias", at::zeros({7})));
  REQUIRE_THROWS_WITH(load(golden.config, golden.weights, {.head = Head::file_or_fresh}, notes),
                      ContainsSubstring("\"lm_head.bias\" has shape [7]"));
  CHECK(notes.empty());
}

TEST_CASE("pretraining's own head is left out, with a note, and other surplus is not") {
  Golden golden("wav2vec2_tiny");
  std::vector<std::string> notes;
  for (const char* name : {"quantizer.codevectors", "quantizer.weight_proj.weight",
                           "project_q.weight", "project_hid.bias"}) {
    golden.weights.push_back(to_tensor(name, at::zeros({2})));
  }
  const auto model = load(golden.config, golden.weights, {}, notes);
  CHECK(notes == std::vector<std::string>{"left out 4 tensors of the pretraining head (quantizer, "
                                          "project_q, project_hid)"});
  golden.weights.push_back(to_tensor("classifier.weight", at::zeros({2})));
  REQUIRE_THROWS_WITH(load(golden.config, golden.weights, {}, notes),
                      ContainsSubstring("unexpected \"classifier.weight\""));
}

TEST_CASE("a bare model's tensors are read under their short names") {
  Golden golden("wav2vec2_layer_norm");
  std::vector<std::string> notes;
  Tensors bare = without_head(golden.weights);
  for (Tensor& tensor : bare) tensor.name.erase(0, std::string("wav2vec2.").size());
  const auto model = load(golden.config, bare, {.head = Head::file_or_fresh}, notes);
  CHECK(same(without_head(model->tensors()), without_head(golden.weights)));
  // Short and long names mixed are no model of transformers.
  bare.back().name.insert(0, "wav2vec2.");
  REQUIRE_THROWS_WITH(load(golden.config, bare, {.head = Head::file_or_fresh}, notes),
                      ContainsSubstring("unexpected \"encoder."));
}
