#include "nodes/training/loop.h"

#include <algorithm>
#include <chrono>

#include "graph/random.h"
#include "nodes/support/model_batch.h"
#include "nodes/training/long_utterances.h"

namespace flowqat::nodes {

void TrainingLoop::plan_length(Training& training, const graph::Pipeline& pipeline) {
  const TrainParams& params = training.params;
  const int64_t round = params.options.batches_per_step, most = params.max_steps;
  training.steps = training.epochs = 0;
  while ((params.epochs == 0 || training.epochs < params.epochs) &&
         (most == 0 || training.steps < most)) {
    const int64_t batches = pipeline.count_batches(training.name, training.epochs);
    training.steps += (batches + round - 1) / round;
    ++training.epochs;
  }
  if (most > 0) training.steps = std::min(training.steps, most);
}

void TrainingLoop::run() {
  Progress& progress = training_.progress;
  training_.count_time();
  for (const auto& attendant : training_.attendants) attendant->begin(training_);
  while (!is_over() && progress.epoch < training_.epochs) {
    run_epoch();
    if (is_over()) break;
    ++progress.epoch;
    progress.batch = 0;
  }
  for (const auto& attendant : training_.attendants) attendant->end(training_);
}

void TrainingLoop::run_epoch() {
  Progress& progress = training_.progress;
  const int64_t round = training_.params.options.batches_per_step;
  const auto stream = pipeline_.open(training_.name, progress.epoch, progress.batch);
  const int64_t batches = stream->extent().batches;
  while (!is_over()) {
    const auto started = std::chrono::steady_clock::now();
    const auto batch = stream->next();
    progress.waited_s +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (!batch) break;
    if (!training_.is_within_round || is_first_) {
      for (const auto& attendant : training_.attendants) attendant->before_step(training_);
    }
    is_first_ = false;
    const bool ends = (progress.batch + 1) % round == 0 || progress.batch + 1 == batches;
    training_.is_within_round = !ends;
    hear(*batch);
    if (!ends) continue;
    update();
    for (const auto& attendant : training_.attendants) attendant->after_step(training_);
  }
  for (const auto& attendant : training_.attendants) attendant->after_epoch(training_);
}

void TrainingLoop::hear(const graph::Batch& batch) {
  Progress& progress = training_.progress;
  ModelBatch prepared =
      to_model_batch(batch, *training_.state.tokenizer, training_.state.model->config(), rules_);
  const auto long_ones = leave_out_long(prepared, training_.params.max_duration_s);
  if (prepared.audio.rows > 0) {
    training_.trainer.accumulate(prepared.audio,
                                 graph::mix({seed_, graph::key_of(training_.name),
                                             static_cast<uint64_t>(progress.batches)}));
  }
  progress.audio_s += batch.speech_s();
  ++progress.batch;
  ++progress.batches;
  training_.count_time();
  for (const auto& attendant : training_.attendants) {
    attendant->after_batch(training_, {batch, prepared, long_ones});
  }
}

void TrainingLoop::update() {
  Progress& progress = training_.progress;
  training_.trainer.update(model::learning_rate(training_.params.schedule, progress.step,
                                                training_.steps, progress.epoch, training_.epochs));
  ++progress.step;
  training_.count_time();
}

}  // namespace flowqat::nodes
