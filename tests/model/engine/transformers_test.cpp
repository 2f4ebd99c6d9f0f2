// Hugging Face's transformers as the reader of what this library saves.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/tensors/safetensors.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"
#include "tests/skip.h"
#include "tests/temporary_folder.h"

using namespace flowqat::model;

namespace {

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string output;
  char part[256];
  while (std::fgets(part, sizeof part, pipe)) output += part;
  INFO(command << ": " << output);
  REQUIRE(::pclose(pipe) == 0);
  return output;
}

}  // namespace

TEST_CASE("transformers loads a saved model without a tensor too many, too few or misshapen") {
  const std::string root = FLOWQAT_SOURCE_DIR;
  const std::string python = root + "/.venv/bin/python";
  if (!std::filesystem::exists(python) ||
      std::system((python + " -c 'import transformers' 2>/dev/null").c_str()) != 0) {
    return flowqat::testing::skip("no transformers in .venv");
  }
  const std::string name = GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm");
  const Golden golden(name);
  const auto model = golden.load(false);
  const flowqat::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "config.json") << model->config().saved_json(true);
  std::vector<flowqat::io::Tensor> tensors;
  for (const Tensor& tensor : model->tensors()) {
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, tensor.owner});
  }
  flowqat::io::write_safetensors(folder.path() / "model.safetensors", tensors);

  const auto report =
      nlohmann::json::parse(output_of(python + " " + root + "/tests/golden/load_model.py " +
                                      folder.path().string() + " " + name + " 2>/dev/null"));
  CHECK(report["missing"].empty());
  CHECK(report["unexpected"].empty());
  CHECK(report["mismatched"].empty());
  CHECK(report["difference"] < 1e-4);
}
