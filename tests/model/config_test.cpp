#include "model/config.h"

#include <fstream>
#include <nlohmann/json.hpp>

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
  CHECK(*config.source == base());
}

TEST_CASE("the two flags of the families are read, in any combination") {
  json config = base();
  CHECK(Config::from_json(config).feat_extract_norm == ConvolutionNorm::group);
  CHECK_FALSE(Config::from_json(config).do_stable_layer_norm);
  config["feat_extract_norm"] = "layer";
  CHECK(Config::from_json(config).feat_extract_norm == ConvolutionNorm::layer);
  CHECK_FALSE(Config::from_json(config).do_stable_layer_norm);
  config["do_stable_layer_norm"] = true;
  CHECK(Config::from_json(config).do_stable_layer_norm);
  require_refused("feat_extract_norm", "batch",
                  "\"feat_extract_norm\" must be \"group\" or \"layer\", found \"batch\"");
}

TEST_CASE("activations of one operation are read by any of their names, others refused by name") {
  json config = base();
  config["hidden_act"] = "gelu_new";
  config["feat_extract_activation"] = "swish";
  CHECK(Config::from_json(config).hidden_act == Activation::gelu_tanh);
  CHECK(Config::from_json(config).feat_extract_activation == Activation::silu);
  require_refused("hidden_act", "prelu",
                  "field \"hidden_act\" is \"prelu\", an activation that is not computed here; "
                  "expected one of \"gelu\", ");
  require_refused("feat_extract_activation", "gelu_10", "\"feat_extract_activation\"");
  require_refused("hidden_act", 3, "\"hidden_act\" must be an activation's name, found 3");
}

TEST_CASE("what would make another model of it is refused by name, with the reason") {
  require_refused("model_type", "hubert", "must be \"wav2vec2\", found \"hubert\"");
  require_refused("add_adapter", true,
                  "field \"add_adapter\" is true: a network behind the encoder");
  require_refused("adapter_attn_dim", 16, "field \"adapter_attn_dim\" is 16: adapters in every");
  require_refused("quantization_config", {{"load_in_8bit", true}}, "another program has quantized");
  require_refused("per_layer_config", {{"0", json::object()}}, "differ from one another");
  require_refused("pruned_heads", {{"0", {1}}}, "cut out");
  json config = base();
  config["add_adapter"] = false;
  config["adapter_attn_dim"] = nullptr;
  config["pruned_heads"] = json::object();
  CHECK(Config::from_json(config).unknown_fields.empty());
}

TEST_CASE("a field that means nothing to wav2vec2 is told, what transformers writes is not") {
  json config = base();
  config["layer_drop"] = 0.5;
  config["mask_channel_prob"] = 0.1;  // fairseq's, in Facebook's published folders
  config["tdnn_dim"] = {1, 2};
  config["_attn_implementation"] = "eager";
  CHECK(Config::from_json(config).unknown_fields == std::vector<std::string>{"layer_drop"});
  for (const char* name : {"wav2vec2_tiny", "wav2vec2_layer_norm"}) {
    const std::string path = std::string(FLOWQAT_SOURCE_DIR "/tests/golden/") + name + ".json";
    CHECK(Config::from_file(path).unknown_fields.empty());
  }
}

TEST_CASE("a saved configuration tells what was saved and keeps the rest") {
  json source = base();
  source["architectures"] = {"Wav2Vec2ForPreTraining"};
  source["torch_dtype"] = "float16";
  const Config config = Config::from_json(source).with_vocabulary(40, 39);
  json expected = source;
  expected["architectures"] = {"Wav2Vec2ForCTC"};
  expected["torch_dtype"] = "float32";
  expected["vocab_size"] = 40;
  expected["pad_token_id"] = 39;
  CHECK(config.saved_json(true) == expected);
  CHECK(Config::from_json(config.saved_json(true)).vocab_size == 40);

  source["mask_time_prob"] = 0;
  CHECK(Config::from_json(source).saved_json(false)["mask_time_prob"] == 0);
  CHECK(Config::from_json(source).saved_json(true)["mask_time_prob"] == 0.05);
}

TEST_CASE("a field of the wrong type or range is refused by name, with what was found") {
  require_refused(
      "hidden_size", "big",
      "field \"hidden_size\" must be a whole number of at least 1 and at most 10000000, "
      "found \"big\" (string)");
  require_refused("hidden_size", 0, "found 0");
  require_refused("num_hidden_layers", 1000000000, "at most 1000, found 1000000000");
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

TEST_CASE("numbers that no network can have are refused before anything is made of them") {
  require_refused("hidden_size", UINT64_MAX, "found 18446744073709551615");
  require_refused("conv_kernel", {10, 4611686018427387904}, "whole numbers from 1 to 1000000");
  require_refused("conv_kernel", {10, UINT64_MAX}, "field \"conv_kernel\" must be a list");
  require_refused("conv_dim", std::vector<int>(100, 8), "must be a list of up to 64");
  json deep = base();
  for (const char* list : {"conv_dim", "conv_kernel"}) deep[list] = std::vector<int>(60, 4);
  deep["conv_stride"] = std::vector<int>(60, 3);
  REQUIRE_THROWS_WITH(Config::from_json(deep), ContainsSubstring("the first frame would take 6.3"));
  json wide = base();
  wide["conv_dim"] = {1000000, 1000000};
  REQUIRE_THROWS_WITH(Config::from_json(wide), ContainsSubstring("more than any wav2vec2 has"));
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
  REQUIRE_THROWS_WITH(Config::from_file(path),
                      ContainsSubstring(path.string() + ": not JSON at line 1, column 2"));
  for (const std::string& value : {std::string(70000, '['), std::string("1e400")}) {
    std::ofstream(path) << "{\"hidden_size\": " << value;
    REQUIRE_THROWS_WITH(Config::from_file(path),
                        ContainsSubstring(path.string() + ": not JSON at line 1, column "));
  }
  std::ofstream(path) << "version https://git-lfs.github.com/spec/v1\n";
  REQUIRE_THROWS_WITH(Config::from_file(path), ContainsSubstring("git lfs pull"));
  std::ofstream(path) << R"({"hidden_size": "x"})";
  REQUIRE_THROWS_WITH(Config::from_file(path), ContainsSubstring(path.string() + ": field"));
}
