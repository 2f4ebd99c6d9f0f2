/// The ranges of a small model's layers, as a person would ask for them.
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr const char* second = "wav2vec2.feature_extractor.conv_layers.1.conv";

std::string content(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// A model's folder in each of the three forms, and the corpus that it was calibrated on.
struct Models {
  TemporaryFolder temporary;
  fs::path root = temporary.path();
  std::string corpus, manifest, model, fake, int8;

  Models() {
    flowqat::testing::make_corpus(root / "corpus");
    flowqat::testing::write_small_config(root / "config");
    corpus = (root / "corpus").string();
    manifest = " --manifest " + corpus;
    model = (root / "run" / "model").string();
    fake = (root / "fake").string();
    int8 = (root / "int8").string();
    const nlohmann::json nodes = {
        {"start", {{"type", "model"}, {"config", (root / "config").string()}}},
        {"save", {{"type", "checkpoint"}, {"model", "start"}}}};
    std::ofstream(root / "graph.json") << nlohmann::json{{"nodes", nodes}};
    run("--graph " + (root / "graph.json").string() + " --out " + (root / "run").string());
  }

  static nlohmann::json run(const std::string& arguments) {
    const Outcome outcome = call(arguments);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return nlohmann::json::parse(outcome.out, nullptr, false);
  }
};

void check_refused(const std::string& arguments, const std::string& why) {
  const Outcome outcome = call(arguments);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring(why));
}

}  // namespace

TEST_CASE("ranges shows values, grid and noise of every layer of a float model") {
  const Models models;
  const std::string command = "ranges " + models.model + models.manifest;
  const auto json = Models::run(command + " --limit 5 --json");
  CHECK(json.at("utterances") == 5);
  REQUIRE(json.at("layers").size() == 7 + 1 + 1 + 2 * 6 + 1);
  for (const auto& layer : json.at("layers")) {
    INFO(layer.at("layer"));
    for (const char* name : {"input", "weight", "output"}) {
      const auto& tensor = layer.at(name);
      const auto counts = tensor.at("histogram").at("counts").get<std::vector<int64_t>>();
      CHECK(counts.size() <= 256);
      CHECK(std::accumulate(counts.begin(), counts.end(), int64_t{0}) == tensor.at("values"));
      CHECK(tensor.at("min") <= tensor.at("p0_1"));
      CHECK(tensor.at("p0_1") <= tensor.at("p25"));
      CHECK(tensor.at("p25") <= tensor.at("p75"));
      CHECK(tensor.at("p75") <= tensor.at("p99_9"));
      CHECK(tensor.at("p99_9") <= tensor.at("max"));
      CHECK(tensor.at("grid").is_null() == (layer.at("choice") == "none"));
    }
  }
  const auto& convolution = json.at("layers").at(1);
  CHECK(convolution.at("layer") == second);
  CHECK(convolution.at("choice").at("engine") == "qnnpack");
  CHECK(convolution.at("output").at("steps_for_half").get<double>() < 127);
  CHECK(convolution.at("output").at("snr_db").get<double>() > 20);

  // Clipping spends the steps on most of the values.
  const std::string one = command + " --json --layer " + second;
  const auto plain =
      Models::run(one + " --set feature_extractor=qnnpack").at("layers").at(0).at("output");
  const auto clipped = Models::run(one + " --set feature_extractor=qnnpack_symmetric_clipped")
                           .at("layers")
                           .at(0)
                           .at("output");
  CHECK(plain.at("histogram") == clipped.at("histogram"));
  CHECK(clipped.at("clipped_share").get<double>() > plain.at("clipped_share").get<double>());
  CHECK(clipped.at("clipped_share").get<double>() < 0.04);
  CHECK(clipped.at("steps_for_half").get<double>() > plain.at("steps_for_half").get<double>());

  const Outcome text = call(command + " --layer '*.[12].conv' --layer lm_head");
  INFO(text.err);
  CHECK(text.status == 0);
  CHECK_THAT(text.out, ContainsSubstring(std::string(second) + " (qnnpack_clipped)\n  input ") &&
                           ContainsSubstring("lm_head (float)\n") && ContainsSubstring("clip %") &&
                           !ContainsSubstring("q_proj"));
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 1 + 3 * 4);
}

TEST_CASE("ranges keeps a fake-quantized model's own grids") {
  const Models models;
  Models::run("quantize " + models.model + models.manifest + " --fake --out " + models.fake +
              " --set feature_extractor=qnnpack_clipped");
  const auto stored =
      nlohmann::json::parse(content(fs::path(models.fake) / "fake_quantization.json"));
  const auto json =
      Models::run("ranges " + models.fake + models.manifest + " --json --layer " + second);
  const auto& layer = json.at("layers").at(0);
  const auto& state = stored.at("layers").at(second);
  for (const char* tensor : {"input", "weight", "output"}) {
    for (const char* field : {"scale", "zero_point"}) {
      INFO(tensor << " " << field);
      CHECK(layer.at(tensor).at("grid").at(field) == state.at(tensor).at(field));
    }
  }
  check_refused("ranges " + models.fake + models.manifest + " --set head=fbgemm", "its own policy");
}

TEST_CASE("ranges shows the integers of an int8 model") {
  const Models models;
  Models::run("quantize " + models.model + models.manifest + " --out " + models.int8);
  const auto stored = nlohmann::json::parse(content(fs::path(models.int8) / "quantization.json"));
  const auto json = Models::run("ranges " + models.int8 + " --json");
  REQUIRE(json.at("layers").size() == 7 + 2 * 6);
  for (const auto& layer : json.at("layers")) {
    const auto& state = stored.at("layers").at(layer.at("layer").get<std::string>());
    CHECK(layer.at("input").at("scale") == state.at("input").at("scale"));
    CHECK(layer.at("output").at("zero_point") == state.at("output").at("zero_point"));
    const auto counts = layer.at("counts").get<std::vector<int64_t>>();
    int64_t weights = 1;
    for (const int64_t size : layer.at("shape")) weights *= size;
    CHECK(counts.size() == 256);
    CHECK(std::accumulate(counts.begin(), counts.end(), int64_t{0}) == weights);
    // Symmetric weights reach an end of the grid, and a scale a channel is a scale for each.
    CHECK(counts.back() + counts[1] + counts[0] > 0);
    if (state.at("scheme").at("per_channel_weights") == true) {
      CHECK(layer.at("weight").at("scale").size() == layer.at("shape").at(0));
    }
  }
  const Outcome text = call("ranges " + models.int8 + " --layer " + second);
  CHECK(text.status == 0);
  CHECK_THAT(text.out, ContainsSubstring("16 x 16 x 3 integers; a scale a channel") &&
                           ContainsSubstring("zero point ") && ContainsSubstring("channel 2 "));

  const std::string svg = (models.root / "int8.svg").string();
  CHECK(call("ranges " + models.int8 + " --layer '*.0.*' --svg " + svg).status == 0);
  CHECK_THAT(content(svg), ContainsSubstring("16 x 1 x 10 integers"));
  check_refused("ranges " + models.int8 + models.manifest, "leave out --manifest");
  check_refused("ranges " + models.int8 + " --set head=fbgemm", "leave out --policy and --set");
}

TEST_CASE("ranges unpacks the weights of four bits of an int8 model, which transcribes") {
  const Models models;
  const std::string whole = (models.root / "whole").string();
  Models::run("quantize " + models.model + models.manifest + " --out " + whole);
  Models::run("quantize " + models.model + models.manifest + " --out " + models.int8 +
              R"( --set 'attention={"preset": "fbgemm", "weight_bits": 4, "activation_bits": 6}')");
  CHECK(fs::file_size(fs::path(models.int8) / "model.safetensors") <
        fs::file_size(fs::path(whole) / "model.safetensors"));
  const auto json = Models::run("ranges " + models.int8 + " --layer '*.q_proj' --json");
  for (const auto& layer : json.at("layers")) {
    CHECK(layer.at("shape").size() == 2);
    CHECK(layer.at("input").at("highest") == 63);
    CHECK(layer.at("weight").at("lowest") == -8);
    const auto counts = layer.at("counts").get<std::vector<int64_t>>();
    const int64_t inside = std::accumulate(counts.begin() + 120, counts.begin() + 136, int64_t{0});
    CHECK(inside ==
          layer.at("shape").at(0).get<int64_t>() * layer.at("shape").at(1).get<int64_t>());
  }
  const Outcome heard = call("evaluate " + models.int8 + models.manifest + " --json");
  INFO(heard.err);
  CHECK(heard.status == 0);
}

TEST_CASE("ranges draws a picture for light and dark") {
  const Models models;
  const std::string svg = (models.root / "ranges.svg").string();
  const Outcome outcome = call("ranges " + models.model + models.manifest + " --layer " + second +
                               " --layer lm_head --svg " + svg);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK_THAT(outcome.err, ContainsSubstring("written to " + svg));
  const std::string picture = content(svg);
  CHECK(picture.starts_with("<svg xmlns="));
  CHECK(picture.ends_with("</svg>\n"));
  CHECK(picture.size() < 30'000);
  CHECK_THAT(picture, ContainsSubstring("prefers-color-scheme: dark") &&
                          ContainsSubstring(second) && ContainsSubstring("% clipped, ") &&
                          !ContainsSubstring("nan") && !ContainsSubstring("inf"));
  // A histogram for each tensor; two ends for each that has a grid.
  const auto count = [&](const std::string& what) {
    int found = 0;
    for (size_t at = picture.find(what); at != std::string::npos; at = picture.find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  CHECK(count("<path class=\"values\"") == 6);
  CHECK(count("<line class=\"end\"") == 6);
}

TEST_CASE("ranges refuses what cannot be before it measures") {
  const Models models;
  const std::string command = "ranges " + models.model + models.manifest;
  check_refused("ranges " + models.model, "--manifest is needed");
  check_refused(command + " --layer '*.conv7.*'", "\"*.conv7.*\" matches no layer");
  check_refused(command + " --set attention=int7", "int7");
  CHECK(call(command + " --limit 0").status == 2);
  const Outcome unwritable = call(command + " --svg /no/such/folder/ranges.svg");
  CHECK(unwritable.status == 3);
  CHECK_THAT(unwritable.err, ContainsSubstring("cannot be written"));
  const Outcome nothing = call("ranges " + models.model + " --manifest /no/such.json");
  CHECK(nothing.status == 2);
}
