// Training whose products are bfloat16's beside that in float32.
#include "model/torch/operators/bf16_tile.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"
#include "tests/skip.h"

using namespace flowqat::model;

namespace {

/// The losses of three steps.
std::vector<double> losses(const Golden& golden, const std::string& precision, bool quantized) {
  test_engine().configure({.device = "cpu", .threads = 1, .precision = precision});
  const auto model = golden.load(true);
  if (quantized) {
    Policy policy;
    policy.positional_conv = preset("fbgemm");
    model->insert_fake_quantizers(policy);
    model->observe(golden.batch());
    model->finish_calibration();
    model->set_activation_observers(true);
  }
  const auto trainer = model->trainer({.clip_norm = 1});
  std::vector<double> found;
  for (uint64_t step = 0; step < 3; ++step) {
    trainer->step(golden.masked_batch(), 1e-3, step);
    found.push_back(trainer->metrics().loss);
  }
  test_engine().configure({.device = "cpu", .threads = 1});
  return found;
}

}  // namespace

TEST_CASE("training in bfloat16 goes the way of float32, nearly, and of its own accord") {
  if (!has_bf16_tile()) {
    CHECK_THROWS_WITH(test_engine().configure({.device = "cpu", .precision = "bf16"}),
                      ContainsSubstring("precision bf16") && ContainsSubstring("AVX-512 BF16"));
    test_engine().configure({.device = "cpu", .threads = 1});
    return flowqat::testing::skip("this processor has no AVX-512 BF16");
  }
  const Golden golden("wav2vec2_tiny");
  const bool quantized = GENERATE(false, true);
  INFO((quantized ? "quantization-aware" : "float"));
  const auto exact = losses(golden, "float32", quantized),
             found = losses(golden, "bf16", quantized);
  for (size_t step = 0; step < exact.size(); ++step) {
    CHECK(found[step] == Approx(exact[step]).epsilon(0.01));
    CHECK(found[step] != exact[step]);
  }
  CHECK(losses(golden, "bf16", quantized) == found);
}
