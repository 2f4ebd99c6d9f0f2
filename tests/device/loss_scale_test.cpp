// Training with factors in half precision, and the scale of its loss.
#include <ATen/ops/scalar_tensor.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "model/torch/base/state_dict.h"
#include "model/torch/training/loss_scaler.h"
#include "tests/catch.h"
#include "tests/model/engine/course.h"
#include "tests/test_device/counts.h"

using namespace flowqat::model;
using namespace flowqat::test_device;

namespace {

struct InHalf {
  InHalf() { engine().configure({.device = "testdevice:0", .threads = 1, .precision = "fp16"}); }
  ~InHalf() { engine().configure({.device = "cpu", .threads = 1}); }
};

const Way kQuantized{.name = "fake-quantized", .policy = Policy{}};

std::unique_ptr<Model> learner(const Golden& golden, const Way& way) {
  auto model = load_masked(golden);
  if (way.policy) calibrate(*model, golden, *way.policy);
  return model;
}

/// A trainer's state with another scale, and a number of updates that it was right for.
Tensors with_scale(Tensors state, double scale, double updates) {
  for (Tensor& tensor : state) {
    if (tensor.name != "loss_scale") continue;
    tensor = to_tensor("loss_scale", at::tensor({scale, updates, 0.0}, at::kDouble));
  }
  return state;
}

double scale_of(const Trainer& trainer) {
  return from_tensor(by_name(trainer.state()).at("loss_scale"))[0].item<double>();
}

}  // namespace

TEST_CASE("the loss scale moves as torch.amp.GradScaler's does") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/loss_scale.json");
  const auto reference = nlohmann::json::parse(file);
  const auto overflows = reference.at("overflows").get<std::set<int64_t>>();
  std::vector<std::pair<int64_t, double>> changes;
  reference.at("changes").get_to(changes);
  REQUIRE(changes.size() > 10);

  const at::Device device(at::kPrivateUse1, 0);
  LossScaler scaler(device);
  const at::Tensor yes = at::scalar_tensor(true, at::kBool).to(device),
                   no = at::scalar_tensor(false, at::kBool).to(device);
  auto expected = changes.begin();
  reset_counts();
  const auto updates = reference.at("updates").get<int64_t>();
  for (int64_t update = 0; update < updates; ++update) {
    if (std::next(expected) != changes.end() && std::next(expected)->first == update) ++expected;
    // Looking at each would take as long as all the rest.
    if (update % 25 == 0 || expected->first == update || overflows.contains(update)) {
      INFO("update " << update);
      REQUIRE(scaler.scale().cpu().item<double>() == expected->second);
    }
    const at::Tensor overflowed = scaler.follow(overflows.contains(update) ? no : yes);
    if (update < 3) CHECK(overflowed.cpu().item<bool>() == overflows.contains(update));
  }
  CHECK(scaler.scale().cpu().item<double>() == changes.back().second);
}

TEST_CASE("a loss scale stays at 1, where it is no excuse any more") {
  const at::Device device(at::kPrivateUse1, 0);
  LossScaler scaler(device);
  const at::Tensor no = at::scalar_tensor(false, at::kBool).to(device);
  for (int update = 0; update < 16; ++update) CHECK(scaler.follow(no).cpu().item<bool>());
  for (int update = 0; update < 3; ++update) {
    CHECK(scaler.scale().cpu().item<double>() == 1);
    CHECK_FALSE(scaler.follow(no).cpu().item<bool>());
  }
}

TEST_CASE("an update that overflows is left out, counted, and no defect of what was heard") {
  const InHalf in_half;
  const Golden golden("wav2vec2_tiny");
  for (const Way& way : {Way{.name = "float"}, kQuantized}) {
    INFO(way.name);
    const auto model = learner(golden, way);
    const auto trainer = model->trainer(options_of(way));
    trainer->load_state(with_scale(trainer->state(), 0x1p40, 5));
    const Tensors before = model->tensors();
    const auto quantization = model->quantization();
    trainer->step(golden.masked_batch(), 1e-3, 0);
    CHECK(same(model->tensors(), before));
    CHECK(model->quantization() == quantization);
    CHECK(scale_of(*trainer) == 0x1p39);
    CHECK(trainer->skipped().empty());
    const TrainMetrics metrics = trainer->metrics();
    CHECK(metrics.steps == 1);
    CHECK(metrics.skipped == 0);
    CHECK(metrics.overflows == 1);
    CHECK(metrics.loss_scale == 0x1p39);
    CHECK(trainer->metrics().overflows == 0);  // told once

    // Where the loss itself is no number, the utterance is told.
    TrainOptions options = options_of(way);
    options.zero_infinity = false;
    AudioBatch endless = golden.masked_batch();
    endless.targets[1].assign(400, 1);
    const auto told = model->trainer(options);
    told->step(endless, 1e-3, 0);
    const auto skipped = told->skipped();
    REQUIRE(skipped.size() == 1);
    CHECK(skipped[0].rows.at(0).row == 1);
    CHECK(told->metrics().skipped == 1);
  }
}

TEST_CASE("the scale finds its way, and then gradients are those of float32") {
  const InHalf in_half;
  const Golden golden("wav2vec2_tiny");
  const Way way{.name = "float"};
  const auto model = learner(golden, way);
  const auto trainer = model->trainer(options_of(way));
  trainer->load_state(with_scale(trainer->state(), 0x1p30, 0));
  TrainMetrics metrics;
  int overflows = 0;
  for (; overflows < 40; ++overflows) {
    trainer->step(golden.masked_batch(), 1e-3, 0);
    metrics = trainer->metrics();
    if (metrics.overflows == 0) break;
  }
  CHECK(overflows > 3);
  REQUIRE(overflows < 30);
  CHECK(scale_of(*trainer) == std::exp2(30 - overflows));
  engine().configure({.device = "cpu", .threads = 1});
  const auto exact = learner(golden, way);
  const auto exact_trainer = exact->trainer(options_of(way));
  exact_trainer->step(golden.masked_batch(), 1e-3, 0);
  const TrainMetrics expected = exact_trainer->metrics();
  CHECK(metrics.loss == Approx(expected.loss).epsilon(1e-3));
  CHECK(metrics.gradient_norm == Approx(expected.gradient_norm).epsilon(1e-2));
}

TEST_CASE("a training in half precision that was stopped goes on with the same bits") {
  const InHalf in_half;
  const Golden golden("wav2vec2_tiny");
  Way way = kQuantized;
  way.options.batches_per_step = GENERATE(1, 2);
  const auto train = [&](Trainer& trainer, uint64_t first, uint64_t last) {
    for (uint64_t step = first; step < last; ++step) train_step(trainer, golden, way, step);
  };
  const auto begin = [&](Model& model) {
    auto trainer = model.trainer(options_of(way));
    // It overflows at first, and grows in the middle of what follows.
    trainer->load_state(with_scale(trainer->state(), 0x1p34, 0));
    return trainer;
  };
  const auto whole = learner(golden, way), stopped = learner(golden, way);
  const auto whole_trainer = begin(*whole), stopped_trainer = begin(*stopped);
  train(*whole_trainer, 0, 8);
  train(*stopped_trainer, 0, 3);
  const auto after = engine().load(stopped->config(), stopped->tensors(), stopped->quantization());
  after->set_activation_observers(true);
  const auto after_trainer = after->trainer(options_of(way));
  after_trainer->load_state(stopped_trainer->state());
  train(*after_trainer, 3, 8);
  CHECK(same(after->tensors(), whole->tensors()));
  CHECK(same(after_trainer->state(), whole_trainer->state()));
  CHECK(whole_trainer->metrics().overflows > 3);

  // What has no scale begins with the first one; what has one may be read without.
  Tensors state = whole_trainer->state();
  std::erase_if(state, [](const Tensor& tensor) { return tensor.name == "loss_scale"; });
  const auto old = learner(golden, way);
  const auto old_trainer = old->trainer(options_of(way));
  old_trainer->load_state(state);
  CHECK(scale_of(*old_trainer) == 65536);
  engine().configure({.device = "testdevice:0", .threads = 1});
  const auto other = learner(golden, way);
  CHECK_NOTHROW(other->trainer(options_of(way))->load_state(whole_trainer->state()));
}

TEST_CASE("a step in half precision waits for nothing and copies once a batch") {
  const InHalf in_half;
  const Golden golden("wav2vec2_tiny");
  for (const Way& way : ways()) {
    INFO(way.name);
    const auto model = learner(golden, way);
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
  }
}

TEST_CASE("half precision is not for the CPU") {
  CHECK_THROWS_WITH(engine().configure({.device = "cpu", .precision = "fp16"}),
                    ContainsSubstring("precision fp16: is for a GPU") &&
                        ContainsSubstring("bf16") && ContainsSubstring("float32"));
  engine().configure({.device = "cpu", .threads = 1});
}
