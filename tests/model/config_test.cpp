#include "model/config.h"

#include <fstream>

#include "model/model.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::model;
using nlohmann::json;

namespace {

json base() {
  return {{"model_type", "wav2vec2"}, {"hidden_size", 48},      {"num_attention_heads", 4},
          {"conv_dim", {8, 8}},       {"conv_kernel", {10, 3}}, {"conv_stride", {5, 2}},
          {"layerdrop", 0.25},        {"num_codevectors", 320}, {"pad_token_id", 3},
          {"conv_bias", true},        {"layer_norm_eps", 1e-6}};
}

void require_refused(const char* field, const json& value, const std::string& message) {
  json config = base();
  config[field] = value;
  INFO(field << " = " << value);
  REQUIRE_THROWS_WITH(Config::from_json(config), ContainsSubstring(message));
}

}  // namespace

TEST_CASE("a configuration holds what config.json says, and the defaults of what it does not") {
  const Config config = Config::from_json(base());
  CHECK(config.hidden_size == 48);
  CHECK(config.layerdrop == 0.25);
  CHECK(config.conv_stride == std::vector<int64_t>{5, 2});
  CHECK(config.conv_bias);
  CHECK(config.layer_norm_eps == 1e-6);
  CHECK(config.pad_token_id == 3);
  CHECK(config.num_hidden_layers == 12);
  CHECK(config.source == base());
}

TEST_CASE("another family is refused by the field that tells it") {
  require_refused("feat_extract_norm", "layer",
                  "the layer-norm family is not supported yet: field \"feat_extract_norm\" is "
                  "\"layer\", this version runs the base family (\"group\")");
  require_refused("do_stable_layer_norm", true, "field \"do_stable_layer_norm\" is true");
  require_refused("hidden_act", "relu", "field \"hidden_act\" is \"relu\"");
  require_refused("feat_extract_activation", "gelu_new", "\"feat_extract_activation\"");
  require_refused("add_adapter", true, "field \"add_adapter\" is true");
  require_refused("adapter_attn_dim", 16, "field \"adapter_attn_dim\" is 16");
  require_refused("model_type", "hubert", "must be \"wav2vec2\", found \"hubert\"");
}

TEST_CASE("a field of the wrong type or range is refused by name, with what was found") {
  require_refused("hidden_size", "big",
                  "field \"hidden_size\" must be a whole number of at least 1, found \"big\" "
                  "(string)");
  require_refused("hidden_size", 0, "found 0");
  require_refused("hidden_dropout", 1.5, "field \"hidden_dropout\" must be a number from 0 to 1");
  require_refused("conv_bias", 1, "field \"conv_bias\" must be true or false, found 1");
  require_refused("conv_dim", json::array(), "field \"conv_dim\" must be a list");
  require_refused("conv_kernel", {10, 0}, "field \"conv_kernel\" must be a list");
  require_refused("vocab_size", nullptr, "field \"vocab_size\" must be a whole number");
  require_refused("layer_norm_eps", 0, "field \"layer_norm_eps\" must be a number above 0");
  REQUIRE_THROWS_AS(Config::from_json(json::array()), Error);
}

TEST_CASE("fields that contradict each other are refused") {
  require_refused("conv_stride", {5, 2, 2},
                  "field \"conv_stride\" has 3 values, but \"conv_dim\" has 2");
  require_refused("num_feat_extract_layers", 7, "field \"num_feat_extract_layers\" must be 2");
  require_refused("num_attention_heads", 5,
                  "field \"hidden_size\" is 48, which field \"num_attention_heads\" (5)");
  require_refused("num_conv_pos_embedding_groups", 7, "\"num_conv_pos_embedding_groups\" (7)");
  require_refused("pad_token_id", 32, "outside of the vocabulary");
}

TEST_CASE("base's geometry is 320 samples a frame and 400 for the first") {
  const Config config;
  CHECK(frames_of(config, 30480) == 95);
  CHECK(shortest_samples(config) == 400);
  CHECK(frames_of(config, 400) == 1);
  CHECK(frames_of(config, 399) == 0);
  CHECK(frames_of(config, 0) == 0);
  CHECK(frames_of(config, 719) == 1);
  CHECK(frames_of(config, 720) == 2);
}

TEST_CASE("a file that is missing or no JSON is named") {
  const flowqat::testing::TemporaryFolder folder;
  const auto path = folder.path() / "config.json";
  REQUIRE_THROWS_WITH(Config::from_file(path), ContainsSubstring(path.string()));
  std::ofstream(path) << "{";
  REQUIRE_THROWS_WITH(Config::from_file(path), ContainsSubstring(path.string() + ": not JSON"));
  std::ofstream(path) << R"({"hidden_size": "x"})";
  REQUIRE_THROWS_WITH(Config::from_file(path), ContainsSubstring(path.string() + ": field"));
}
