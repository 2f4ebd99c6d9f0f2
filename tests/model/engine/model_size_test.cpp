// What a whole model's file takes, by its shapes: nothing is trained.
#include <vector>

#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

double bytes_of(const Model& model) {
  double bytes = 0;
  for (const Tensor& tensor : model.tensors()) bytes += static_cast<double>(tensor.bytes.size());
  return bytes;
}

/// A base-size model's share of float32 in int8, with all of its quantized parts by one preset and
/// the positional convolution in half precision.
double share_of_base(const char* name) {
  const std::unique_ptr<Model> model = test_engine().create(Config(), 1);
  REQUIRE(model->parameter_count() > 94'000'000);
  const double in_float = bytes_of(*model);
  Policy policy;
  policy.feature_extractor = policy.attention = policy.feed_forward = preset(name);
  model->insert_fake_quantizers(policy);
  std::vector<float> samples(1600);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i % 7) - 3;
  AudioBatch batch;
  batch.samples = samples;
  batch.rows = 1;
  batch.padded_samples = std::ssize(samples);
  batch.lengths_samples = {std::ssize(samples)};
  model->observe(batch);
  model->finish_calibration();
  return bytes_of(*model->convert({.half_positional_conv = true})) / in_float;
}

}  // namespace

TEST_CASE("base with weights of four bits takes less than 0.16 of float32") {
  const double four = share_of_base("w4a8"), seven = share_of_base("w7");
  CHECK(four < 0.16);
  CHECK(four > 0.14);
  CHECK(seven > 0.26);
  CHECK(seven < 0.28);
}
