#include "io/text/processor.h"

#include "io/files/json_file.h"
#include "io/tensors/safetensors.h"
#include "io/text/tokenizer.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a feature extractor is read in the published spelling and in that of transformers 5") {
  const FeatureExtractor expected{8000, false, true};
  const nlohmann::json fields{
      {"sampling_rate", 8000}, {"do_normalize", false}, {"return_attention_mask", true}};
  TemporaryFolder folder;
  write_json(folder / "preprocessor_config.json", fields);
  CHECK(FeatureExtractor::load(folder.path()) == expected);
  write_json(folder / "processor_config.json", {{"processor_class", "Wav2Vec2Processor"}});
  CHECK(FeatureExtractor::load(folder.path()) == expected);
  write_json(folder / "preprocessor_config.json", {{"sampling_rate", 44100}});
  write_json(folder / "processor_config.json", {{"feature_extractor", fields}});
  CHECK(FeatureExtractor::load(folder.path()) == expected);
  FeatureExtractor().save(folder.path());
  CHECK(FeatureExtractor::load(folder.path()) == FeatureExtractor());
}

TEST_CASE("missing and malformed feature extractors are errors") {
  TemporaryFolder folder;
  const auto load = [&] { return error_of([&] { FeatureExtractor::load(folder.path()); }); };
  CHECK_THAT(load(), ContainsSubstring("preprocessor_config.json") &&
                         ContainsSubstring("processor_config.json with"));
  write_json(folder / "preprocessor_config.json", {{"sampling_rate", "16 kHz"}});
  CHECK_THAT(load(), ContainsSubstring("\"sampling_rate\": expected an integer"));
  write_json(folder / "preprocessor_config.json", {{"sampling_rate", 0}});
  CHECK_THAT(load(), ContainsSubstring("expected a rate in Hz, found 0"));
  write_json(folder / "preprocessor_config.json", {{"feature_size", 80}});
  CHECK_THAT(load(), ContainsSubstring("expected 1 (raw audio), found 80"));
  write_json(folder / "preprocessor_config.json", {{"padding_value", 0.5}});
  CHECK_THAT(load(), ContainsSubstring("\"padding_value\": expected 0 (silence), found 0.5"));
  write_json(folder / "preprocessor_config.json", {{"padding_side", "left"}});
  CHECK_THAT(load(), ContainsSubstring("\"padding_side\": expected \"right\", found \"left\""));
}

TEST_CASE("transformers loads the saved folder without a warning") {
  const std::filesystem::path root = FLOWQAT_SOURCE_DIR;
  if (!have((root / ".venv/bin/python").string())) return;
  TemporaryFolder folder;
  const FeatureExtractor extractor{8000, false, true};
  extractor.save(folder.path());
  Tokenizer::base_960h().save(folder.path());
  write_safetensors(folder / "model.safetensors",
                    read_safetensors(root / "tests/golden/safetensors.safetensors"));
  const std::string output =
      run((root / ".venv/bin/python").string() + " " +
          (root / "tests/golden/load_saved.py").string() + " " + folder.path().string() + " 2>&1");
  CHECK(output == "8000 False True [11, 5, 15, 15, 8, 4, 3] HELLO 10\n");
}
