#include "nodes/training/memory_forecast.h"

#include "tests/catch.h"

using namespace flowqat;
using nodes::MemoryUse;

TEST_CASE("the memory of a training is forecast as it was measured") {
  // Of base on a row of 10 s, as the header tells; attention's dropout is the default's.
  const struct {
    MemoryUse use;
    double measured_gb;
  } rows[] = {
      {{}, 2.76},
      {{.trains_extractor = false}, 2.15},
      {{.gradient_checkpointing = true}, 2.59},
      {{.trains_extractor = false, .gradient_checkpointing = true}, 2.04},
      {{.has_average = true}, 3.11},
      {{.fake_quantized = true}, 3.42},
      {{.fake_quantized = true, .gradient_checkpointing = true}, 2.72},
  };
  for (const auto& [use, measured_gb] : rows) {
    INFO(measured_gb);
    CHECK(1e-9 * nodes::training_bytes({}, 1, 160'000, use) == Approx(measured_gb).epsilon(0.1));
  }
}

TEST_CASE("twice the rows take twice the activations") {
  const double one = nodes::training_bytes({}, 8, 160'000, {}),
               two = nodes::training_bytes({}, 16, 160'000, {}),
               four = nodes::training_bytes({}, 32, 160'000, {});
  CHECK(four - two == Approx(2 * (two - one)));
}
