#include "nodes/training/loop.h"

#include <chrono>

#include "graph/random.h"
#include "nodes/support/model_batch.h"

namespace flowqat::nodes {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

int64_t TrainingLoop::count_steps(const graph::Pipeline& pipeline, const std::string& consumer,
                                  const TrainParams& params) {
  int64_t steps = 0;
  for (int64_t epoch = 0; epoch < params.epochs; ++epoch) {
    steps += static_cast<int64_t>(pipeline.plan(consumer, epoch).size());
  }
  return steps;
}

void TrainingLoop::run() {
  Progress& progress = training_.progress;
  for (const auto& attendant : training_.attendants) attendant->begin(training_);
  while (!training_.is_over && progress.epoch < training_.params.epochs) {
    run_epoch();
    if (training_.is_over) break;
    ++progress.epoch;
    progress.batch = 0;
  }
  for (const auto& attendant : training_.attendants) attendant->end(training_);
}

void TrainingLoop::run_epoch() {
  Progress& progress = training_.progress;
  const auto stream = pipeline_.open(training_.name, progress.epoch, progress.batch);
  while (!training_.is_over) {
    const auto started = Clock::now();
    const auto batch = stream->next();
    progress.waited_s += seconds_since(started);
    if (!batch) {
      progress.wall_s += seconds_since(started);
      break;
    }
    for (const auto& attendant : training_.attendants) attendant->before_step(training_);
    step(*batch);
    progress.wall_s += seconds_since(started);
    for (const auto& attendant : training_.attendants) attendant->after_step(training_);
  }
  for (const auto& attendant : training_.attendants) attendant->after_epoch(training_);
}

void TrainingLoop::step(const graph::Batch& batch) {
  Progress& progress = training_.progress;
  const TrainParams& params = training_.params;
  const ModelBatch prepared =
      to_model_batch(batch, *training_.state.tokenizer, training_.state.model->config(), rules_);
  const double rate = model::learning_rate(params.schedule, progress.step, training_.steps,
                                           progress.epoch, params.epochs);
  // A batch of rejected utterances alone counts as a step, so that the schedule stays the plan's.
  if (prepared.audio.rows > 0) {
    training_.trainer.step(
        prepared.audio, rate,
        graph::mix({seed_, graph::key_of(training_.name), static_cast<uint64_t>(progress.step)}));
  }
  progress.audio_s += batch.speech_s();
  progress.too_short += static_cast<int64_t>(prepared.too_short.size());
  ++progress.step;
  ++progress.batch;
}

}  // namespace flowqat::nodes
