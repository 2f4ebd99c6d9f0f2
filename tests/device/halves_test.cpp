// Batches for which the device has not the memory.
#include <ATen/ops/allclose.h>

#include <algorithm>

#include "model/batch.h"
#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/device/on_device.h"
#include "tests/model/engine/course.h"
#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"

using namespace flowqat::model;
using namespace flowqat::test_device;

namespace {

/// A model and its trainer.
struct Learner {
  Learner(const Golden& golden, Way way, double layerdrop = 0, double dropout = 0) {
    Config config = golden.config;
    config.attention_mask = true;
    config.layerdrop = layerdrop;
    config.hidden_dropout = dropout;
    model = engine().load(config, golden.weights, nullptr);
    if (way.policy) calibrate(*model, golden, *way.policy);
    if (way.taught) teacher = engine().create(golden.config, 11);
    trainer = model->trainer(options_of(way), teacher);
  }

  std::unique_ptr<Model> model;
  std::shared_ptr<const Model> teacher;
  std::unique_ptr<Trainer> trainer;
};

Way in_rounds(Way way, int64_t batches) {
  way.options.batches_per_step = batches;
  return way;
}

/// How often a batch asks for memory.
int64_t allocations_of(const Golden& golden, const Way& way) {
  const Learner learner(golden, way);
  const int64_t before = Memory::instance().asked();
  learner.trainer->accumulate(golden.masked_batch(), 1);
  return Memory::instance().asked() - before;
}

/// First moments are gradients, but for clipping and a factor.
void check_like(const Trainer& found, const Trainer& expected) {
  const auto wanted = by_name(expected.state());
  for (const Tensor& tensor : found.state()) {
    if (!tensor.name.ends_with(".exp_avg")) continue;
    INFO(tensor.name);
    const at::Tensor gradient = from_tensor(wanted.at(tensor.name));
    const double largest = gradient.abs().max().item<double>();
    CHECK(largest_difference(from_tensor(tensor), gradient) <= 1e-5 * largest + 1e-9);
  }
}

std::vector<Way> ways_to_halve() {
  std::vector<Way> chosen;
  for (const Way& way : ways()) {
    if (way.options.batches_per_step == 1 && !way.head_only) chosen.push_back(way);
  }
  return chosen;
}

}  // namespace

TEST_CASE("wherever memory runs out, a batch comes to what its halves come to as two batches") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  REQUIRE(all.rows == 3);
  for (const Way& way : ways_to_halve()) {
    INFO(way.name);
    const Learner parted(golden, in_rounds(way, 2));
    parted.trainer->accumulate(rows_of(all, 0, 2), 1);
    parted.trainer->accumulate(rows_of(all, 2, 1), 1);
    parted.trainer->update(1e-3);
    const TrainMetrics expected = parted.trainer->metrics();
    const int64_t count = allocations_of(golden, way);
    REQUIRE(count > 200);
    for (const int64_t number : {int64_t{1}, count / 5, count / 2, 4 * count / 5, count}) {
      INFO("allocation " << number << " of " << count);
      const Learner learner(golden, way);
      reset_counts();
      Memory::instance().refuse(number);
      REQUIRE(learner.trainer->accumulate(all, 1) == Hearing::in_halves);
      CHECK(counts().cache_emptied == 1);
      learner.trainer->update(1e-3);
      const TrainMetrics found = learner.trainer->metrics();
      CHECK(found.steps == 1);
      CHECK(found.loss == expected.loss);
      CHECK(found.gradient_norm == expected.gradient_norm);
      CHECK(same(learner.model->tensors(), parted.model->tensors()));
      CHECK(learner.model->quantization() == parted.model->quantization());
      CHECK(same(learner.trainer->state(), parted.trainer->state()));
    }
  }
}

TEST_CASE("a batch in halves has the whole one's loss and gradient, whatever divides them") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  const bool taught = GENERATE(false, true);
  for (const CtcReduction reduction : {CtcReduction::mean, CtcReduction::utterances,
                                       CtcReduction::characters, CtcReduction::sum}) {
    INFO("reduction " << static_cast<int>(reduction) << ", taught " << taught);
    const Way way{.name = "float", .taught = taught};
    const auto learn = [&](bool is_refused) {
      Learner learner(golden, way, /*layerdrop=*/0.4);
      TrainOptions options = options_of(way);
      options.reduction = reduction;
      learner.trainer = learner.model->trainer(options, learner.teacher);
      // Several, so that layers are dropped in some.
      for (uint64_t seed = 0; seed < 4; ++seed) {
        if (is_refused) Memory::instance().refuse(60);  // before the layers that may be dropped
        const Hearing hearing = learner.trainer->accumulate(all, seed);
        CHECK((hearing == Hearing::in_halves) == is_refused);
        learner.trainer->update(0);  // the weights stay, so that differences do not grow
      }
      return learner;
    };
    const Learner whole = learn(false), halved = learn(true);
    const TrainMetrics expected = whole.trainer->metrics(), found = halved.trainer->metrics();
    CHECK(found.loss == Approx(expected.loss).epsilon(1e-6));
    CHECK(found.gradient_norm == Approx(expected.gradient_norm).epsilon(1e-5));
    check_like(*halved.trainer, *whole.trainer);
  }
}

TEST_CASE("a backward that fails midway leaves the gradients of the round's other batches") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  for (const bool taught : {false, true}) {
    const Way way = in_rounds({.name = "float", .taught = taught}, 3);
    const Learner whole(golden, way);
    for (int batch = 0; batch < 3; ++batch) whole.trainer->accumulate(all, 1);
    whole.trainer->update(1e-3);
    const int64_t count = allocations_of(golden, way);
    for (const int64_t number : {count / 2, 2 * count / 3, 5 * count / 6, count - 1}) {
      INFO("taught " << taught << ", allocation " << number << " of " << count);
      const Learner learner(golden, way);
      learner.trainer->accumulate(all, 1);
      Memory::instance().refuse(number);
      REQUIRE(learner.trainer->accumulate(all, 1) == Hearing::in_halves);
      CHECK(learner.trainer->accumulate(all, 1) == Hearing::whole);
      learner.trainer->update(1e-3);
      check_like(*learner.trainer, *whole.trainer);
      CHECK(learner.trainer->metrics().gradient_norm > 0);
    }
  }
}

TEST_CASE("where a half is too much too, the trainer is as it was before the batch") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  const Way way =
      in_rounds({.name = "fake-quantized, taught", .policy = Policy{}, .taught = true}, 2);
  const Learner whole(golden, way), learner(golden, way);
  for (const Learner* one : {&whole, &learner}) one->trainer->accumulate(all, 1);
  const Tensors before = learner.trainer->state(), weights = learner.model->tensors();
  const size_t used = Memory::instance().used_bytes();

  Memory::instance().set_limit_bytes(used + 50000);
  reset_counts();
  try {
    learner.trainer->accumulate(all, 2);
    FAIL("it was heard");
  } catch (const OutOfMemory& error) {
    CHECK(error.first_row() == 0);
    CHECK(error.rows() == 2);
    CHECK_THAT(error.what(), ContainsSubstring("training step: the device is out of memory: ") &&
                                 ContainsSubstring(" bytes more were needed") &&
                                 !ContainsSubstring("frame #"));
  }
  CHECK(counts().cache_emptied == 2);
  Memory::instance().set_limit_bytes(0);
  CHECK(Memory::instance().used_bytes() <= used);
  CHECK(same(learner.trainer->state(), before));
  CHECK(same(learner.model->tensors(), weights));

  for (const Learner* one : {&whole, &learner}) {
    CHECK(one->trainer->accumulate(all, 2) == Hearing::whole);
    one->trainer->update(1e-3);
  }
  CHECK(same(learner.trainer->state(), whole.trainer->state()));
  CHECK(learner.model->quantization() == whole.model->quantization());
}

TEST_CASE("a batch of one row is not halved, and the rest may fail in its second half") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  const Learner learner(golden, {.name = "float"});
  const auto failed = [&](const AudioBatch& batch) {
    try {
      learner.trainer->accumulate(batch, 1);
    } catch (const OutOfMemory& error) {
      return std::pair(error.first_row(), error.rows());
    }
    return std::pair<int64_t, int64_t>(-1, -1);
  };
  Memory::instance().refuse(100);
  CHECK(failed(rows_of(all, 0, 1)) == std::pair<int64_t, int64_t>(0, 1));
  // The last row has another length where it is heard alone: as long as it must be to be too much.
  Memory::instance().set_limit_bytes(Memory::instance().used_bytes() + 50000);
  CHECK(failed(all) == std::pair<int64_t, int64_t>(0, 2));
  Memory::instance().set_limit_bytes(0);
  CHECK(failed(all) == std::pair<int64_t, int64_t>(-1, -1));
}

TEST_CASE("a batch that is too large for the device's memory as such fits in halves") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch all = golden.masked_batch();
  const auto peak_of = [&](const AudioBatch& batch) {
    const Learner learner(golden, {.name = "float"});
    Memory::instance().reset_peak();
    const size_t used = Memory::instance().used_bytes();
    learner.trainer->accumulate(batch, 1);
    return Memory::instance().peak_bytes() - used;
  };
  const size_t whole = peak_of(all), half = peak_of(rows_of(all, 0, 2));
  REQUIRE(half < whole);
  const Learner learner(golden, {.name = "float"});
  const size_t used = Memory::instance().used_bytes();
  Memory::instance().set_limit_bytes(used + whole - 4096);
  CHECK(learner.trainer->accumulate(all, 1) == Hearing::in_halves);
  Memory::instance().set_limit_bytes(0);
  learner.trainer->update(1e-3);
  CHECK(learner.trainer->metrics().steps == 1);
}

TEST_CASE(
    "rows of a halved batch whose loss is not a number are told by their place in the whole") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  AudioBatch all = golden.masked_batch();
  all.targets[2].assign(400, 1);
  Way way{.name = "float"};
  way.options.zero_infinity = false;
  const Learner learner(golden, way);
  Memory::instance().refuse(150);
  REQUIRE(learner.trainer->accumulate(all, 1) == Hearing::in_halves);
  learner.trainer->update(1e-3);
  const std::vector<SkippedUpdate> skipped = learner.trainer->skipped();
  REQUIRE(skipped.size() == 1);
  REQUIRE(skipped[0].rows.size() == 1);
  CHECK(skipped[0].rows[0].batch == 0);
  CHECK(skipped[0].rows[0].row == 2);
}

TEST_CASE("what dropout draws in one half it does not draw again in the other") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const AudioBatch first = rows_of(golden.masked_batch(), 0, 1);
  std::vector<float> samples(first.samples.begin(), first.samples.end());
  samples.insert(samples.end(), first.samples.begin(), first.samples.end());
  AudioBatch twice = first;
  twice.samples = samples;
  twice.rows = 2;
  for (auto* const list : {&twice.time_masks, &twice.channel_masks}) {
    if (!list->empty()) list->push_back(list->front());
  }
  twice.targets.push_back(twice.targets.front());
  twice.lengths_samples.push_back(twice.lengths_samples.front());
  const auto loss_of = [&](double dropout) {
    const Learner learner(golden, {.name = "float"}, 0, dropout);
    Memory::instance().refuse(100);
    REQUIRE(learner.trainer->accumulate(twice, 1) == Hearing::in_halves);
    learner.trainer->update(1e-3);
    const Learner alone(golden, {.name = "float"}, 0, dropout);
    alone.trainer->step(first, 1e-3, 1);
    return std::pair(learner.trainer->metrics().loss, alone.trainer->metrics().loss);
  };
  const auto [plain, plain_alone] = loss_of(0);
  CHECK(plain == Approx(plain_alone).epsilon(1e-6));
  const auto [dropped, dropped_alone] = loss_of(0.3);
  CHECK(std::abs(dropped - dropped_alone) > 1e-4 * dropped_alone);
}
