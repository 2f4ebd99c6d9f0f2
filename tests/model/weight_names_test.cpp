#include "model/weight_names.h"

#include "model/model.h"
#include "tests/catch.h"

using namespace flowqat::model;

namespace {

using Names = std::vector<std::string>;

Names own_names(const Names& names, Names* notes = nullptr) {
  Tensors tensors;
  for (const std::string& name : names) tensors.emplace_back().name = name;
  Names unread, own;
  for (const Tensor& tensor : with_own_names(tensors, notes ? *notes : unread)) {
    own.push_back(tensor.name);
  }
  return own;
}

const Names kOwn{"lm_head.bias", "wav2vec2.encoder.layer_norm.bias", "wav2vec2.masked_spec_embed"};

Names prefixed(const std::string& prefix, Names names) {
  for (std::string& name : names) name.insert(0, prefix);
  return names;
}

}  // namespace

TEST_CASE("a prefix that all tensors share is taken off with one note") {
  for (const char* prefix : {"_orig_mod.", "module.", "module._orig_mod.", "model.", "a.b.c."}) {
    INFO(prefix);
    Names notes;
    CHECK(own_names(prefixed(prefix, kOwn), &notes) == kOwn);
    CHECK((notes.size() == 1 || std::string(prefix) == "module._orig_mod."));
    CHECK_THAT(notes.back(), ContainsSubstring("took"));
  }
  Names notes;
  CHECK(own_names({"wav2vec2._orig_mod.encoder.layers.0._orig_mod.attention.k_proj.bias"},
                  &notes) == Names{"wav2vec2.encoder.layers.0.attention.k_proj.bias"});
  CHECK(notes.size() == 1);
}

TEST_CASE("names that are the model's own, or that differ, stay as they are") {
  Names notes;
  CHECK(own_names(kOwn, &notes) == kOwn);
  const Names bare{"encoder.layer_norm.bias", "feature_extractor.conv_layers.0.conv.weight"};
  CHECK(own_names(bare, &notes) == bare);
  const Names mixed{"module.lm_head.bias", "wav2vec2.encoder.layer_norm.bias"};
  CHECK(own_names(mixed, &notes) == mixed);
  const Names others{"module.lm_head.bias", "module.decoder.bias"};
  CHECK(own_names(others, &notes) == others);
  CHECK(own_names({}, &notes).empty());
  CHECK(notes.empty());
}

TEST_CASE("an adapter's tensors are recognized") {
  for (const char* name :
       {"base_model.model.wav2vec2.encoder.layers.0.attention.q_proj.lora_A.weight",
        "wav2vec2.encoder.layers.0.attention.q_proj.lora_B.default.weight",
        "wav2vec2.encoder.layers.0.attention.q_proj.base_layer.weight"}) {
    CHECK_THROWS_WITH(own_names({"lm_head.bias", name}),
                      ContainsSubstring("LoRA adapter (\"" + std::string(name)) &&
                          ContainsSubstring("merge_and_unload"));
  }
}
