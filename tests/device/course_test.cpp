// Whatever a model does on the CPU it does on the test device too, with the same numbers.
#include "tests/model/engine/course.h"

#include "tests/catch.h"
#include "tests/test_device/counts.h"

using namespace flowqat::model;
using namespace flowqat::test_device;

namespace {

void use(const std::string& device) { engine().configure({.device = device, .threads = 1}); }

}  // namespace

TEST_CASE("the test device calibrates, trains, saves, loads and converts as the CPU does") {
  const Golden golden(GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm"));
  for (const Way& way : ways()) {
    INFO(way.name);
    use("testdevice:0");
    CHECK(engine().device() == "testdevice:0");
    reset_counts();
    const Course device = course(golden, way);
    CHECK(counts().launches > 1000);  // it was there that all of it was computed
    use("cpu");
    const Course cpu = course(golden, way);
    for (size_t step = 0; step < cpu.losses.size(); ++step) {
      INFO("step " << step);
      CHECK(device.losses[step] == Approx(cpu.losses[step]).epsilon(3e-3));
      if (step < cpu.norms.size())
        CHECK(device.norms[step] == Approx(cpu.norms[step]).epsilon(1e-2));
    }
    // A value next to the border of two steps of a grid may fall on either side.
    CHECK(mean_difference(device.trained, cpu.trained) < (way.policy ? 0.03 : 1e-3));
    CHECK(largest_difference(device.trained, device.reloaded) < 1e-5);
    REQUIRE(device.int8.has_value() == cpu.int8.has_value());
    if (device.int8) CHECK(mean_difference(*device.int8, *cpu.int8) < 0.03);
  }
}

TEST_CASE("what is dropped in training is drawn on the device, and waits for nothing either") {
  const Golden golden("wav2vec2_tiny");
  const Way way{.name = "float", .options = {.gradient_checkpointing = GENERATE(false, true)}};
  use("testdevice:0");
  Config config = golden.config;
  config.attention_mask = true;
  config.hidden_dropout = config.attention_dropout = config.activation_dropout = 0.2;
  config.feat_proj_dropout = config.final_dropout = config.layerdrop = 0.2;
  const auto losses = [&] {
    const auto model = engine().load(config, golden.weights, nullptr);
    const auto trainer = model->trainer(options_of(way));
    std::vector<double> all;
    for (uint64_t step = 0; step < 4; ++step) {
      reset_counts();
      train_step(*trainer, golden, way, step);
      CHECK(counts().synchronizations == 0);
      all.push_back(trainer->metrics().loss);
    }
    return all;
  };
  const std::vector<double> first = losses();
  CHECK(losses() == first);
  const auto plain = load_masked(golden);
  const auto trainer = plain->trainer(options_of(way));
  train_step(*trainer, golden, way, 0);
  CHECK(trainer->metrics().loss != first[0]);
  use("cpu");
}

TEST_CASE("a training step on the device waits for nothing and copies once a batch") {
  const Golden golden("wav2vec2_tiny");
  for (const Way& way : ways()) {
    INFO(way.name);
    use("testdevice:0");
    const auto model = load_masked(golden);
    if (way.policy) calibrate(*model, golden, *way.policy);
    const std::shared_ptr<const Model> teacher = way.taught ? load_masked(golden) : nullptr;
    const auto trainer = model->trainer(options_of(way), teacher);
    trainer->train_head_only(way.head_only);
    train_step(*trainer, golden, way, 0);
    trainer->metrics();
    reset_counts();
    train_step(*trainer, golden, way, 1);
    const Counts step = counts();
    UNSCOPED_INFO(profile(step));
    CHECK(step.synchronizations == 0);
    CHECK(step.copies_to_host == 0);
    CHECK(step.copies_to_device == way.options.batches_per_step);
    CHECK(step.copies_beside == step.copies_to_device);
    CHECK(step.unordered == 0);
  }
  use("cpu");
}
