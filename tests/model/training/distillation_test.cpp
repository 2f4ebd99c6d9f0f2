#include <ATen/ops/tensor.h>

#include "io/files/json_file.h"
#include "model/torch/training/loss.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

struct Frames {
  nlohmann::json golden =
      flowqat::io::read_json(FLOWQAT_SOURCE_DIR "/tests/golden/distillation.json");
  std::vector<int64_t> counts = golden.at("frames");
  at::Tensor values(const nlohmann::json& list) const {
    return at::tensor(list.get<std::vector<double>>())
        .reshape(golden.at("shape").get<std::vector<int64_t>>())
        .to(at::kFloat);
  }
  at::Tensor student() const { return values(golden.at("student")).requires_grad_(); }
  at::Tensor teacher() const { return values(golden.at("teacher")); }
  SpeechFrames speech() const {
    return {counts, at::tensor(counts), speech_frames(counts, teacher().size(1))};
  }
};

/// The divergence from a teacher that hears the same.
at::Tensor divergence_of(const Logits& own, const Logits& teacher, double temperature) {
  const SpeechFrames speech{own.lengths_frames, {}, speech_frames(own.lengths_frames, own.frames)};
  return distillation_loss(as_tensor(own), as_tensor(teacher), speech, temperature);
}

TrainOptions teaching(double weight, double temperature) {
  return {.clip_norm = 1,
          .reduction = CtcReduction::characters,
          .distillation_weight = weight,
          .distillation_temperature = temperature};
}

/// Another model of the same tokens and frames.
std::shared_ptr<Model> other_model(const Golden& golden) {
  return test_engine().create(golden.config, 11);
}

std::unique_ptr<Model> with_dropout(const Golden& golden) {
  Config config = golden.config;
  config.hidden_dropout = config.attention_dropout = config.activation_dropout = 0.2;
  config.layerdrop = 0.4;
  return test_engine().load(config, golden.weights, nullptr);
}

}  // namespace

TEST_CASE("distillation has PyTorch's value and gradient at every temperature", "[level]") {
  const Frames frames;
  for (const auto& expected : frames.golden.at("cases")) {
    INFO(expected.at("temperature"));
    const at::Tensor student = frames.student();
    const at::Tensor loss =
        distillation_loss(student, frames.teacher(), frames.speech(), expected.at("temperature"));
    loss.backward();
    CHECK(loss.item<double>() == Approx(expected.at("loss").get<double>()).epsilon(1e-5));
    CHECK(largest_difference(student.grad(), frames.values(expected.at("gradient"))) < 1e-6);
  }
}

TEST_CASE("frames of padding do not count, and equal logits teach nothing", "[level]") {
  const Frames frames;
  const at::Tensor teacher = frames.teacher();
  const double loss =
      distillation_loss(frames.student(), teacher, frames.speech(), 2).item<double>();
  at::Tensor padded = frames.student().detach().clone(), heard = teacher.clone();
  for (size_t row = 0; row < frames.counts.size(); ++row) {
    const auto at = static_cast<int64_t>(row);
    padded[at].slice(0, frames.counts[row]).fill_(50).select(1, 0).fill_(-50);
    heard[at].slice(0, frames.counts[row]).fill_(-7).select(1, 2).fill_(30);
  }
  padded.requires_grad_();
  const at::Tensor same = distillation_loss(padded, heard, frames.speech(), 2);
  CHECK(same.item<double>() == loss);
  same.backward();
  CHECK(padded.grad()[1].slice(0, 3).abs().max().item<double>() == 0);
  CHECK(padded.grad()[1].slice(0, 0, 3).abs().max().item<double>() > 0);

  const at::Tensor student = frames.student();
  const at::Tensor nothing = distillation_loss(student, student, frames.speech(), 2);
  nothing.backward();
  CHECK(nothing.item<double>() == Approx(0).margin(1e-6));
  CHECK(student.grad().abs().max().item<double>() < 1e-6);
}

TEST_CASE("a step's loss is CTC plus the weighted divergence from what the teacher infers",
          "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  const auto teacher = other_model(golden);
  const Logits own = model->infer(golden.batch());
  const double divergence = divergence_of(own, teacher->infer(golden.batch()), 2).item<double>();
  CHECK(divergence > 0.1);
  const auto trainer = model->trainer(teaching(0.7, 2), teacher);
  trainer->step(golden.batch(), 0, 1);
  CHECK(trainer->metrics().loss ==
        Approx(golden["logits.characters"].item<double>() + 0.7 * divergence).epsilon(1e-4));
}

TEST_CASE("the teacher hears without masks, and stays as it is", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  const std::shared_ptr<Model> teacher = golden.load(false);
  const auto loss = [&](double weight, const AudioBatch& batch) {
    const auto trainer = model->trainer(teaching(weight, 1), weight > 0 ? teacher : nullptr);
    trainer->step(batch, 0, 1);
    return trainer->metrics().loss;
  };
  CHECK(loss(1, golden.batch()) == Approx(loss(0, golden.batch())).epsilon(1e-5));
  CHECK(loss(1, golden.masked_batch()) > loss(0, golden.masked_batch()) + 0.01);
  const auto trainer = model->trainer(teaching(1, 1), teacher);
  for (uint64_t step = 0; step < 3; ++step) trainer->step(golden.masked_batch(), 1e-2, step);
  CHECK(same(teacher->tensors(), golden.weights));
  CHECK_FALSE(same(model->tensors(), golden.weights));
}

TEST_CASE("distillation brings a model nearer to its teacher", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  const auto teacher = other_model(golden);
  const auto divergence = [&] {
    const Logits own = model->infer(golden.batch());
    return divergence_of(own, teacher->infer(golden.batch()), 1).item<double>();
  };
  const double before = divergence();
  const auto trainer = model->trainer(teaching(100, 1), teacher);
  for (uint64_t step = 0; step < 30; ++step) trainer->step(golden.batch(), 5e-3, step);
  CHECK(divergence() < 0.5 * before);
}

TEST_CASE("taught training that stopped and went on gives the same bits as one that did not",
          "[level]") {
  const Golden golden("wav2vec2_tiny");
  const auto teacher = other_model(golden);
  const auto train = [&](Trainer& trainer, uint64_t first, uint64_t last) {
    for (uint64_t step = first; step < last; ++step) {
      trainer.step(golden.masked_batch(), 1e-3, 100 + step);
    }
  };
  const auto whole = with_dropout(golden), before = with_dropout(golden);
  const auto whole_trainer = whole->trainer(teaching(1, 2), teacher);
  train(*whole_trainer, 0, 6);
  const auto before_trainer = before->trainer(teaching(1, 2), teacher);
  train(*before_trainer, 0, 3);
  const auto after =
      test_engine().load(before->config(), before->tensors(), before->quantization());
  const auto after_trainer = after->trainer(teaching(1, 2), other_model(golden));
  after_trainer->load_state(before_trainer->state());
  train(*after_trainer, 3, 6);
  CHECK(same(whole->tensors(), after->tensors()));
  CHECK(same(whole_trainer->state(), after_trainer->state()));
}

TEST_CASE("teachers that cannot teach are refused with the reason", "[level]") {
  const Golden golden("wav2vec2_tiny");
  const std::shared_ptr<Model> model = golden.load(false);
  const auto refusal = [&](double weight, double temperature, std::shared_ptr<Model> teacher) {
    try {
      model->trainer(teaching(weight, temperature), teacher);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal(1, 1, nullptr), ContainsSubstring("needs a teacher"));
  CHECK_THAT(refusal(0, 1, other_model(golden)), ContainsSubstring("weight is 0"));
  CHECK_THAT(refusal(1, 0, other_model(golden)), ContainsSubstring("above 0, found 0"));
  CHECK_THAT(refusal(1, 1, model), ContainsSubstring("its own teacher"));
  const Config larger = golden.config.with_vocabulary(40, 39);
  CHECK_THAT(refusal(1, 1, test_engine().create(larger, 1)),
             ContainsSubstring("40 tokens with blank 39") && ContainsSubstring("12 with blank 0"));
  Config slower = golden.config;
  slower.conv_stride.back() = 3;
  CHECK_THAT(refusal(1, 1, test_engine().create(slower, 1)), ContainsSubstring("conv_stride"));
}
