/// Trains a model: in float, or with fake quantization where a calibrate node stands before it.
#include <chrono>

#include "graph/registry.h"
#include "graph/run.h"
#include "io/safetensors.h"
#include "nodes/model_batch.h"
#include "nodes/model_folder.h"
#include "nodes/train_params.h"

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
  int64_t infinite_losses = 0, unknown_characters = 0, too_short = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, epoch, batch, step, audio_s, wall_s, waited_s,
                                   infinite_losses, unknown_characters, too_short)

class Train : public ModelConsumer {
 public:
  explicit Train(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        audio_(dynamic_cast<const graph::Batcher&>(*arguments.inputs.one("audio"))),
        params_(read_train_params(arguments.params, config())),
        seed_(arguments.seed) {}

  void run(graph::StepContext& context) override {
    ModelState state = input().take();
    Progress progress;
    if (context.resumed()) {
      state = load_model(context.resumed()->folder);
      progress = nlohmann::json(context.resumed()->state).get<Progress>();
    }
    if (state.stage == Stage::ptq) state.stage = Stage::fake_quantized;
    const std::unique_ptr<model::Trainer> trainer = state.model->trainer(params_.options);
    if (context.resumed()) {
      trainer->load_state(to_model_tensors(
          io::read_safetensors(context.resumed()->folder / "optimizer.safetensors")));
    }
    graph::Pipeline& pipeline = context.audio(audio_);
    check_rate(pipeline, state.extractor);
    const int64_t steps = count_steps(pipeline);
    last_checkpoint_ = Clock::now();
    for (; progress.epoch < params_.epochs; ++progress.epoch, progress.batch = 0) {
      run_epoch(context, pipeline, state, *trainer, progress, steps);
    }
    log(context, *trainer, progress, steps);
    finish(context, progress);
    give(std::move(state));
  }

  void save(const std::filesystem::path& folder) const override { save_model(result(), folder); }

  void restore(const std::filesystem::path& folder, graph::StepContext&) override {
    give(load_model(folder));
    input().done_with();
  }

 private:
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
      const auto frozen_from =
          static_cast<int64_t>(params_.freeze_observers_at * static_cast<double>(steps));
      state.model->set_activation_observers(progress.step < frozen_from);
    }
    const ModelBatch prepared = to_model_batch(batch, *state.tokenizer, config());
    const double rate = model::learning_rate(params_.schedule, progress.step, steps, progress.epoch,
                                             params_.epochs);
    // A batch of rejected utterances alone counts as a step, so that the schedule stays the plan's.
    if (prepared.audio.rows > 0) {
      trainer.step(
          prepared.audio, rate,
          graph::mix({seed_, graph::key_of(name()), static_cast<uint64_t>(progress.step)}));
    }
    progress.audio_s += batch.speech_s();
    progress.unknown_characters += prepared.unknown_characters;
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
    log(context, trainer, progress, steps);
    context.checkpoint(progress.step, nlohmann::json(progress), params_.keep_checkpoints,
                       [&](const std::filesystem::path& folder) {
                         save_model(state, folder);
                         io::write_safetensors(folder / "optimizer.safetensors",
                                               to_io_tensors(trainer.state()));
                       });
    last_checkpoint_ = Clock::now();
    if (context.stop_signal() != 0) {
      context.reporter().say(name() + ": saved after step " + std::to_string(progress.step) +
                             " of " + std::to_string(steps) + "; go on with --resume");
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
                    {"epoch", progress.epoch},
                    {"loss", metrics.loss},
                    {"gradient_norm", metrics.gradient_norm},
                    {"learning_rate", rate},
                    {"infinite_losses", metrics.infinite_losses},
                    {"audio_s", progress.audio_s},
                    {"wall_s", progress.wall_s},
                    {"starved_share", progress.waited_s / progress.wall_s}});
    const double left_s = progress.wall_s / static_cast<double>(progress.step) *
                          static_cast<double>(steps - progress.step);
    char status[200];
    std::snprintf(status, sizeof status,
                  "%s: step %lld of %lld, epoch %lld, loss %.3f, %.1f x real time, starved %.2f "
                  "%%, %.0f s left",
                  name().c_str(), static_cast<long long>(progress.step),
                  static_cast<long long>(steps), static_cast<long long>(progress.epoch + 1),
                  metrics.loss, progress.audio_s / progress.wall_s,
                  100 * progress.waited_s / progress.wall_s, left_s);
    context.reporter().progress(status);
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
      context.reporter().say(name() + ": " + std::to_string(progress.infinite_losses) +
                             " times a transcript was too long for its frames and taught nothing");
    }
    if (progress.too_short > 0) {
      context.reporter().say(name() + ": " + std::to_string(progress.too_short) +
                             " times an utterance was shorter than one frame and was left out");
    }
    if (progress.unknown_characters > 0) {
      context.reporter().say(name() + ": " + std::to_string(progress.unknown_characters) +
                             " characters of the transcripts are not in the vocabulary");
    }
  }

  const graph::Batcher& audio_;
  TrainParams params_;
  Clock::time_point last_checkpoint_;
  uint64_t seed_;
};

const graph::Register registered({
    .name = "train",
    .doc = "trains a model with CTC and AdamW; with fake quantization if it is calibrated",
    .output = graph::EdgeKind::model,
    .may_end = true,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "where training starts"},
               {.key = "audio", .kind = graph::EdgeKind::batches, .doc = "what it learns from"}},
    .params = train_param_specs(),
    .make = [](graph::NodeArguments a) { return std::make_unique<Train>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
