/// Trains a model: in float, or with fake quantization where a calibrate node stands before it.
#include <memory>
#include <optional>
#include <utility>

#include "graph/registry.h"
#include "graph/run.h"
#include "io/tensors/safetensors.h"
#include "nodes/support/group_peers.h"
#include "nodes/support/memory_check.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/step_checks.h"
#include "nodes/support/transcripts.h"
#include "nodes/training/averaged_weights.h"
#include "nodes/training/checkpoints.h"
#include "nodes/training/dev_evaluation.h"
#include "nodes/training/frozen_parts.h"
#include "nodes/training/halved_batches.h"
#include "nodes/training/length.h"
#include "nodes/training/loop.h"
#include "nodes/training/memory_forecast.h"
#include "nodes/training/metrics_log.h"
#include "nodes/training/quantization_phases.h"
#include "nodes/training/range_log.h"
#include "nodes/training/skipped_steps.h"
#include "nodes/training/teacher.h"
#include "nodes/training/useless_utterances.h"

namespace flowqat::nodes {
namespace {

class Train : public ModelConsumer {
 public:
  explicit Train(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        audio_(dynamic_cast<const graph::Batcher&>(*arguments.inputs.one("audio"))),
        params_(read_train_params(arguments.params, config())),
        seed_(arguments.seed) {
    if (graph::Node* teacher = arguments.inputs.one("teacher")) {
      teacher_ = &dynamic_cast<ModelStep&>(*teacher);
      teacher_->add_consumer();
    }
    check_teacher(*this, teacher_, params_.options);
    dev_ = dynamic_cast<const graph::Batcher*>(arguments.inputs.one("dev"));
    check_evaluation(params_.evaluation, dev_ != nullptr, input().stage());
  }

  std::optional<Stage> stage() const override {
    const auto from = input().stage();
    return from == Stage::ptq ? Stage::fake_quantized : from;
  }

  void check(graph::CheckContext& context) const override {
    check_stage(*this, input(), {Stage::float32, Stage::ptq, Stage::fake_quantized},
                "train the float or fake-quantized one that it was made from");
    check_processes(*this, params_.options.batches_per_step, context.processes());
    check_rate(context, audio_, input());
    check_transcripts(context, audio_, *this, input(), "learn from");
    check_tokens(context, audio_, *this, input());
    check_memory(context, audio_, input(), *this, params_.max_duration_s);
    if (dev_ == nullptr) return;
    check_rate(context, *dev_, input());
    check_transcripts(context, *dev_, *this, input(), "compare with");
    check_memory(context, *dev_, input(), *this, 0);
  }

  graph::Workers workers() const override { return graph::Workers::all; }

  void run(graph::StepContext& context) override {
    ModelState state = input().take();
    if (context.resumed()) {
      context.together().each([&] { state = load_model(context.resumed()->folder); });
    }
    if (state.stage == Stage::ptq) state.stage = Stage::fake_quantized;
    std::unique_ptr<model::Trainer> trainer = make_trainer(state, group_of(context.together()));
    graph::Pipeline& pipeline = context.audio(audio_);
    tell_transcripts(context, audio_, *this, {*state.tokenizer, text_rules()}, "learn from");
    Training training{
        .name = name(), .context = context, .params = params_, .state = state, .trainer = *trainer};
    TrainingLoop::plan_length(training, pipeline);
    add_attendants(training, pipeline);
    if (context.resumed()) {
      trainer->load_state(to_model_tensors(
          io::read_safetensors(context.resumed()->folder / "optimizer.safetensors")));
      training.restore(*context.resumed()->state);
      check_length(training, *context.resumed()->state);
    }
    TrainingLoop(training, pipeline, text_rules(), seed_).run();
    trainer.reset();  // while its model is there
    if (const auto best = best_before_the_end(training)) {
      context.together().each([&] { state = load_best(context.checkpoint_folder(*best)); });
    }
    context.count_optimizer_steps(training.progress.step);
    if (teacher_ != nullptr) teacher_->done_with();
    give(std::move(state));
  }

  void save(const std::filesystem::path& folder) const override { save_model(result(), folder); }

  void restore(const std::filesystem::path& folder, graph::StepContext&) override {
    give(load_model(folder));
    input().done_with();
    if (teacher_ != nullptr) teacher_->done_with();
  }

 private:
  /// `group`: the processes that train together; null: each by itself.
  std::unique_ptr<model::Trainer> make_trainer(const ModelState& student,
                                               std::shared_ptr<model::Group> group) const {
    return student.model->trainer(params_.options,
                                  teacher_ == nullptr ? nullptr : teacher_->result().model,
                                  std::move(group));
  }

  /// The model of a checkpoint as a training that ends there hands it on.
  ModelState load_best(const std::filesystem::path& folder) const {
    ModelState state = load_model(folder);
    if (params_.options.ema_decay == 0) return state;
    const std::unique_ptr<model::Trainer> trainer = make_trainer(state, nullptr);
    trainer->load_state(to_model_tensors(io::read_safetensors(folder / "optimizer.safetensors")));
    trainer->exchange_average();
    return state;
  }

  /// Who does what between the steps, in this order.
  void add_attendants(Training& training, const graph::Pipeline& pipeline) const {
    auto& all = training.attendants;
    all.push_back(std::make_unique<MemoryForecast>(pipeline, teacher_ != nullptr));
    all.push_back(std::make_unique<FrozenParts>(policy()));
    all.push_back(std::make_unique<QuantizationPhases>());
    all.push_back(std::make_unique<AveragedWeights>());
    all.push_back(std::make_unique<UselessUtterances>(pipeline));
    all.push_back(std::make_unique<SkippedSteps>());
    all.push_back(std::make_unique<HalvedBatches>());
    all.push_back(std::make_unique<MetricsLog>());
    all.push_back(std::make_unique<RangeLog>());
    if (dev_ != nullptr) all.push_back(std::make_unique<DevEvaluation>(*dev_, text_rules()));
    all.push_back(std::make_unique<Checkpoints>());  // last: it saves what the others keep
  }

  /// The step whose model is handed on; none: the last.
  std::optional<int64_t> best_before_the_end(const Training& training) const {
    if (!params_.evaluation.hands_on_best) return std::nullopt;
    for (const auto& attendant : training.attendants) {
      const auto* const evaluation = dynamic_cast<const DevEvaluation*>(attendant.get());
      if (evaluation == nullptr) continue;
      const auto best = evaluation->best_step();
      return best == training.progress.step ? std::nullopt : best;
    }
    return std::nullopt;
  }

  const graph::Batcher& audio_;
  const graph::Batcher* dev_ = nullptr;
  ModelStep* teacher_ = nullptr;
  TrainParams params_;
  uint64_t seed_;
};

const graph::Register registered({
    .name = "train",
    .doc = "trains a model with CTC and AdamW; with fake quantization if it is calibrated",
    .output = graph::EdgeKind::model,
    .may_end = true,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "where training starts"},
               {.key = "audio", .kind = graph::EdgeKind::batches, .doc = "what it learns from"},
               {.key = "dev",
                .kind = graph::EdgeKind::batches,
                .required = false,
                .doc = "what it is evaluated on while it trains: WER, CER and loss go to "
                       "metrics.jsonl, and the best model is kept"},
               {.key = "teacher",
                .kind = graph::EdgeKind::model,
                .required = false,
                .doc = "a model whose logits it learns too, usually the one in float"}},
    .params = train_param_specs(),
    .make = [](graph::NodeArguments a) { return std::make_unique<Train>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
