// Whatever a model does on the CPU it does on the GPU too, to within rounding.
#include "tests/catch.h"
#include "tests/model/engine/course.h"
#include "tests/skip.h"

using namespace flowqat::model;

namespace {

/// Models made from here on are on the GPU. False, and the test is skipped, where there is none.
bool use_gpu() {
  try {
    engine().configure({.device = "cuda"});
  } catch (const Error&) {
    flowqat::testing::skip("no GPU");
    return false;
  }
  return true;
}

void use_cpu() { engine().configure({.device = "cpu", .threads = 1}); }

}  // namespace

TEST_CASE("the GPU calibrates, trains, saves, loads and converts as the CPU does") {
  if (!use_gpu()) return;
  const Golden golden(GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm"));
  for (const Way& way : ways()) {
    INFO(way.name);
    use_gpu();
    const Course gpu = course(golden, way);
    use_cpu();
    const Course cpu = course(golden, way);
    for (size_t step = 0; step < cpu.losses.size(); ++step) {
      INFO("step " << step);
      CHECK(gpu.losses[step] == Approx(cpu.losses[step]).epsilon(1e-2));
      if (step < cpu.norms.size()) CHECK(gpu.norms[step] == Approx(cpu.norms[step]).epsilon(2e-2));
    }
    // A value next to the border of two steps of a grid may fall on either side. Two threads of the
    // CPU differ from one by as much.
    CHECK(mean_difference(gpu.trained, cpu.trained) < 0.04);
    CHECK(largest_difference(gpu.trained, gpu.reloaded) < 1e-5);
    REQUIRE(gpu.int8.has_value() == cpu.int8.has_value());
    if (gpu.int8) CHECK(mean_difference(*gpu.int8, *cpu.int8) < 0.04);
  }
}
