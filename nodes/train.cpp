/// Trains a model: in float, or with fake quantization where a calibrate node stands before it.
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "io/tensors/safetensors.h"
#include "nodes/support/memory_check.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/step_checks.h"
#include "nodes/support/train_params.h"
#include "nodes/support/transcripts.h"

namespace flowqat::nodes {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// How far training has come; all of it is part of a checkpoint.
struct Progress {
  int64_t epoch = 0, batch = 0;  ///< the next to be drawn
  int64_t step = 0;              ///< batches drawn so far, those without a usable row included
  double audio_s = 0, wall_s = 0, waited_s = 0;
  int64_t infinite_losses = 0, too_short = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, epoch, batch, step, audio_s, wall_s, waited_s,
                                   infinite_losses, too_short)

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
    check_teacher();
  }

  std::optional<Stage> stage() const override {
    const auto from = input().stage();
    return from == Stage::ptq ? Stage::fake_quantized : from;
  }

  void check(graph::CheckContext& context) const override {
    check_stage(*this, input(), {Stage::float32, Stage::ptq, Stage::fake_quantized},
                "train the float or fake-quantized one that it was made from");
    check_rate(context, audio_, input());
    check_transcripts(context, audio_, *this, input(), "learn from");
    check_tokens(context, audio_, *this, input());
    check_memory(context, audio_, input(), *this);
  }

  void run(graph::StepContext& context) override {
    ModelState state = input().take();
    Progress progress;
    if (context.resumed()) {
      state = load_model(context.resumed()->folder);
      progress = nlohmann::json(*context.resumed()->state).get<Progress>();
    }
    if (state.stage == Stage::ptq) state.stage = Stage::fake_quantized;
    const std::unique_ptr<model::Trainer> trainer = make_trainer(state);
    if (context.resumed()) {
      trainer->load_state(to_model_tensors(
          io::read_safetensors(context.resumed()->folder / "optimizer.safetensors")));
    }
    graph::Pipeline& pipeline = context.audio(audio_);
    tell_transcripts(context, audio_, *this, {*state.tokenizer, text_rules()}, "learn from");
    const int64_t steps = count_steps(pipeline);
    phases_ = phases_of(params_, steps);
    // As the model comes from calibration, or from the step that the checkpoint was made behind.
    fake_quantizes_ = !context.resumed() || progress.step > phases_.fake_quantize_from;
    last_checkpoint_ = Clock::now();
    for (; progress.epoch < params_.epochs; ++progress.epoch, progress.batch = 0) {
      run_epoch(context, pipeline, state, *trainer, progress, steps);
    }
    log(context, *trainer, progress, steps);
    if (state.stage == Stage::fake_quantized) fake_quantize(*state.model, true);
    finish(context, progress);
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
  /// What can be told of the teacher before anything is run.
  void check_teacher() const {
    if (teacher_ == nullptr) {
      if (params_.options.distillation_weight == 0) return;
      throw graph::GraphError(
          "key \"distillation_weight\": needs the key \"teacher\", a node whose model teaches");
    }
    if (params_.options.distillation_weight == 0) {
      throw graph::GraphError(
          "key \"teacher\": needs a \"distillation_weight\" above 0, such as 1; with 0 it would "
          "teach nothing");
    }
    if (!knows_config() || !teacher_->knows_config()) return;  // checked again when they are here
    const model::Config &own = config(), &other = teacher_->config();
    if (own.vocab_size != other.vocab_size || own.pad_token_id != other.pad_token_id) {
      throw graph::GraphError(graph::format(
          "key \"teacher\": must have the model's vocabulary, %lld tokens with blank %lld; \"%s\" "
          "has %lld tokens with blank %lld",
          static_cast<long long>(own.vocab_size), static_cast<long long>(own.pad_token_id),
          teacher_->name().c_str(), static_cast<long long>(other.vocab_size),
          static_cast<long long>(other.pad_token_id)));
    }
    if (own.conv_kernel != other.conv_kernel || own.conv_stride != other.conv_stride) {
      throw graph::GraphError(
          "key \"teacher\": \"" + teacher_->name() +
          "\" makes other frames than the model: conv_kernel and conv_stride of "
          "their config.json must be equal");
    }
    const auto differs = [&](const char* what) {
      throw graph::GraphError("key \"teacher\": \"" + teacher_->name() +
                              "\" and the model have different " + what +
                              ", but both hear the same audio and name the same tokens");
    };
    if (teacher_->tokenizer().tokens() != tokenizer().tokens()) differs("tokens (vocab.json)");
    if (teacher_->extractor().rate_hz != extractor().rate_hz ||
        teacher_->extractor().do_normalize != extractor().do_normalize) {
      differs("sampling_rate or do_normalize (preprocessor_config.json)");
    }
  }

  std::unique_ptr<model::Trainer> make_trainer(const ModelState& student) const {
    if (teacher_ == nullptr) return student.model->trainer(params_.options);
    return student.model->trainer(params_.options, teacher_->result().model);
  }

  void fake_quantize(model::Model& model, bool on) {
    if (std::exchange(fake_quantizes_, on) != on) model.set_fake_quantization(on);
  }

  int64_t count_steps(const graph::Pipeline& pipeline) const {
    int64_t steps = 0;
    for (int64_t epoch = 0; epoch < params_.epochs; ++epoch) {
      steps += static_cast<int64_t>(pipeline.plan(name(), epoch).size());
    }
    return steps;
  }

  void run_epoch(graph::StepContext& context, graph::Pipeline& pipeline, ModelState& state,
                 model::Trainer& trainer, Progress& progress, int64_t steps) {
    const auto stream = pipeline.open(name(), progress.epoch, progress.batch);
    while (true) {
      const auto started = Clock::now();
      const auto batch = stream->next();
      progress.waited_s += seconds_since(started);
      if (!batch) {
        progress.wall_s += seconds_since(started);
        break;
      }
      step(*batch, state, trainer, progress, steps);
      progress.wall_s += seconds_since(started);
      attend(context, state, trainer, progress, steps);
    }
    log(context, trainer, progress, steps);
  }

  void step(const graph::Batch& batch, ModelState& state, model::Trainer& trainer,
            Progress& progress, int64_t steps) {
    if (state.stage == Stage::fake_quantized) {
      fake_quantize(*state.model, progress.step >= phases_.fake_quantize_from);
      state.model->set_activation_observers(progress.step < phases_.freeze_from);
    }
    const ModelBatch prepared = to_model_batch(batch, *state.tokenizer, config(), text_rules());
    const double rate = model::learning_rate(params_.schedule, progress.step, steps, progress.epoch,
                                             params_.epochs);
    // A batch of rejected utterances alone counts as a step, so that the schedule stays the plan's.
    if (prepared.audio.rows > 0) {
      trainer.step(
          prepared.audio, rate,
          graph::mix({seed_, graph::key_of(name()), static_cast<uint64_t>(progress.step)}));
    }
    progress.audio_s += batch.speech_s();
    progress.too_short += static_cast<int64_t>(prepared.too_short.size());
    ++progress.step;
    ++progress.batch;
  }

  /// Between steps: progress, checkpoints, signals.
  void attend(graph::StepContext& context, const ModelState& state, model::Trainer& trainer,
              Progress& progress, int64_t steps) {
    if (progress.step % params_.log_every_steps == 0) log(context, trainer, progress, steps);
    const bool is_due = params_.checkpoint_every_s > 0 &&
                        seconds_since(last_checkpoint_) >= params_.checkpoint_every_s;
    if (!is_due && context.stop_signal() == 0) return;
    context.checkpoint(progress.step, nlohmann::json(progress), params_.keep_checkpoints,
                       [&](const std::filesystem::path& folder) {
                         save_model(state, folder);
                         io::write_safetensors(folder / "optimizer.safetensors",
                                               to_io_tensors(trainer.state()));
                       });
    last_checkpoint_ = Clock::now();
    if (context.stop_signal() != 0) {
      context.reporter().say(name() + ": saved after step " + graph::whole_text(progress.step) +
                             " of " + graph::whole_text(steps) + "; go on with --resume " +
                             context.folder().string());
      throw graph::Interrupted(context.stop_signal());
    }
  }

  void log(graph::StepContext& context, model::Trainer& trainer, Progress& progress,
           int64_t steps) {
    const model::TrainMetrics metrics = trainer.metrics();
    if (metrics.steps == 0) return;
    progress.infinite_losses += metrics.infinite_losses;
    const double rate = model::learning_rate(params_.schedule, progress.step - 1, steps,
                                             progress.epoch, params_.epochs);
    context.metric({{"step", progress.step},
                    {"epoch", progress.epoch + 1},
                    {"loss", metrics.loss},
                    {"gradient_norm", metrics.gradient_norm},
                    {"learning_rate", rate},
                    {"infinite_losses", metrics.infinite_losses},
                    {"audio_s", progress.audio_s},
                    {"wall_s", progress.wall_s},
                    {"starved_share", progress.waited_s / progress.wall_s}});
    const double left_s = progress.wall_s / static_cast<double>(progress.step) *
                          static_cast<double>(steps - progress.step);
    context.progress(
        {.what = name(),
         .done = progress.step,
         .total = steps,
         .unit = "steps",
         .more = {"epoch " + graph::whole_text(progress.epoch + 1) + " of " +
                      graph::whole_text(params_.epochs),
                  graph::format("loss %.3f", metrics.loss),
                  graph::format("%.1f x real time", progress.audio_s / progress.wall_s),
                  "starved " + graph::percent_text(progress.waited_s / progress.wall_s)},
         .left_s = left_s});
  }

  void finish(graph::StepContext& context, const Progress& progress) {
    context.count_optimizer_steps(progress.step);
    graph::Json& train = context.summary().emplace("train", graph::Json::object()).first.value();
    const auto add = [&](const char* key, double value) {
      train[key] = train.value(key, 0.0) + value;
    };
    add("audio_s", progress.audio_s);
    add("wall_s", progress.wall_s);
    add("waited_s", progress.waited_s);
    train["starved_share"] = train["waited_s"].get<double>() / train["wall_s"].get<double>();
    if (progress.infinite_losses > 0) {
      context.reporter().say(name() + ": " + graph::counted(progress.infinite_losses, "time") +
                             " a transcript was too long for its frames and taught nothing");
    }
    if (progress.too_short > 0) {
      context.reporter().say(name() + ": " + graph::counted(progress.too_short, "time") +
                             " an utterance was shorter than one frame and was left out");
    }
  }

  const graph::Batcher& audio_;
  ModelStep* teacher_ = nullptr;
  TrainParams params_;
  Phases phases_;
  bool fake_quantizes_ = true;  ///< the model, where it has fake quantizers
  Clock::time_point last_checkpoint_;
  uint64_t seed_;
};

const graph::Register registered({
    .name = "train",
    .doc = "trains a model with CTC and AdamW; with fake quantization if it is calibrated",
    .output = graph::EdgeKind::model,
    .may_end = true,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "where training starts"},
               {.key = "audio", .kind = graph::EdgeKind::batches, .doc = "what it learns from"},
               {.key = "teacher",
                .kind = graph::EdgeKind::model,
                .required = false,
                .doc = "a model whose logits it learns too, usually the one in float"}},
    .params = train_param_specs(),
    .make = [](graph::NodeArguments a) { return std::make_unique<Train>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
