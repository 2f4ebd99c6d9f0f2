// Whatever a model does on the CPU it does on the GPU too, to within rounding.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"
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

struct Way {
  std::string name;
  std::optional<Policy> policy;  ///< none: float
  bool taught = false;           ///< by a model in float
};

std::vector<Way> ways() {
  const auto with = [](const auto& change) {
    Policy policy;
    for (LayerChoice* choice :
         {&policy.feature_extractor, &policy.attention, &policy.feed_forward}) {
      change(**choice);
    }
    return policy;
  };
  return {
      {"float", std::nullopt},
      {"float, taught", std::nullopt, true},
      {"fake-quantized", Policy{}},
      {"fake-quantized, taught", Policy{}, true},
      {"affine weights", with([](LayerScheme& s) { s.symmetric_weights = false; })},
      {"one scale a weight", with([](LayerScheme& s) { s.per_channel_weights = false; })},
      {"clipped", with([](LayerScheme& s) { s.range = RangeEstimate::percentile; })},
      {"least squares", with([](LayerScheme& s) { s.range = RangeEstimate::mse; })},
      {"smoothed", with([](LayerScheme& s) { s.smoothing = 0.5; })},
      {"learned steps", with([](LayerScheme& s) { s.learned_step = true; })},
  };
}

/// What comes of a model that is calibrated, trained for three steps, saved, loaded and converted.
struct Course {
  std::vector<double> losses, norms;
  Tensors weights;
  at::Tensor trained, reloaded;    ///< logits
  std::optional<at::Tensor> int8;  ///< logits
};

std::unique_ptr<Model> load(const Golden& golden) {
  Config config = golden.config;
  config.attention_mask = true;
  return engine().load(config, golden.weights, nullptr);
}

Course course(const Golden& golden, const Way& way) {
  Course course;
  const auto model = load(golden);
  if (way.policy) {
    model->insert_fake_quantizers(*way.policy);
    const auto hear = [&] {
      for (int batch = 0; batch < 2; ++batch) model->observe(golden.batch());
    };
    hear();
    if (model->needs_second_pass()) {
      model->begin_second_pass();
      hear();
    }
    model->finish_calibration();
    model->set_activation_observers(true);
  }
  TrainOptions options{.clip_norm = 0.5, .reduction = CtcReduction::mean};
  std::shared_ptr<const Model> teacher;
  if (way.taught) {
    options.distillation_weight = 0.5;
    teacher = load(golden);
  }
  const auto trainer = model->trainer(options, teacher);
  for (uint64_t step = 0; step < 3; ++step) {
    if (step == 2 && way.policy) model->set_activation_observers(false);
    trainer->step(golden.masked_batch(), 1e-4, step);
    const TrainMetrics metrics = trainer->metrics();
    course.losses.push_back(metrics.loss);
    course.norms.push_back(metrics.gradient_norm);
  }
  course.weights = model->tensors();
  course.trained = as_tensor(model->infer(golden.batch()));
  const auto json = way.policy ? nlohmann::json::parse(model->quantization().dump()) : nullptr;
  const auto loaded = engine().load(model->config(), course.weights, json);
  course.reloaded = as_tensor(loaded->infer(golden.batch()));
  // A loaded optimizer goes on where the other stands.
  const auto resumed = loaded->trainer(options, teacher);
  resumed->load_state(trainer->state());
  resumed->step(golden.masked_batch(), 1e-4, 3);
  course.losses.push_back(resumed->metrics().loss);
  if (way.policy) course.int8 = as_tensor(model->convert()->infer(golden.batch()));
  return course;
}

/// The mean difference, in standard deviations of `b`.
double mean_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().mean() / b.std()).item<double>();
}

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
