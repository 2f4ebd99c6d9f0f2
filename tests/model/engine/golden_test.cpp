// The golden int8 model of tests/portable: `tests_model "the golden int8 model is written"` makes
// the file anew.
#include <cstring>
#include <nlohmann/json.hpp>

#include "io/tensors/safetensors.h"
#include "runtime/acoustic_model.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat;
using namespace flowqat::model;

namespace {

const std::string kFile =
    std::string(FLOWQAT_SOURCE_DIR) + "/tests/golden/int8_network.safetensors";

template <class T>
io::Tensor tensor_of(const std::string& name, const char* dtype, std::vector<int64_t> shape,
                     std::span<const T> values) {
  return {"golden." + name, dtype, std::move(shape), std::as_bytes(values), nullptr};
}

}  // namespace

TEST_CASE("the golden int8 model is written", "[.make]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(true);
  model->insert_fake_quantizers({});
  model->observe(golden.batch());
  model->finish_calibration();
  const auto int8 = model->convert();
  const AudioBatch batch = golden.batch();
  const Logits logits = runtime::load(int8->config(), int8->tensors(), int8->quantization(),
                                      {.threads = 1, .target = Target::scalar})
                            ->infer(batch);
  std::vector<io::Tensor> tensors;
  const Tensors weights = int8->tensors();
  for (const Tensor& tensor : weights) {
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, tensor.owner});
  }
  tensors.push_back(
      tensor_of<float>("samples", "F32", {batch.rows, batch.padded_samples}, batch.samples));
  tensors.push_back(tensor_of<int64_t>("lengths", "I64", {batch.rows}, batch.lengths_samples));
  tensors.push_back(tensor_of<float>(
      "logits", "F32", {logits.rows, logits.frames, logits.vocabulary}, logits.values));
  const nlohmann::json config = int8->config().saved_json(true);
  io::write_safetensors(kFile, tensors,
                        {{"config", config.dump()}, {"quantization", int8->quantization().dump()}});
}
