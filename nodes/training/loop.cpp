#include "nodes/training/loop.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "graph/random.h"
#include "nodes/support/model_batch.h"
#include "nodes/training/halved_batches.h"
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
  may_run_out_ = training_.context.together().is_alone() && model::engine().device() != "cpu";
  training_.count_time();
  for (const auto& attendant : training_.attendants) attendant->begin(training_);
  while (!is_over() && progress.epoch < training_.epochs) {
    run_epoch();
    if (is_over()) break;
    ++progress.epoch;
    progress.batch = 0;
  }
  training_.meet();
  for (const auto& attendant : training_.attendants) attendant->end(training_);
}

void TrainingLoop::run_epoch() {
  Progress& progress = training_.progress;
  const int64_t round = training_.params.options.batches_per_step;
  const graph::Share share = training_.context.together().share();
  const auto stream = pipeline_.open(training_.name, progress.epoch, progress.batch, share);
  const int64_t batches = stream->extent().batches;
  while (!is_over() && progress.batch < batches) {
    if (!training_.is_within_round || is_first_) {
      for (const auto& attendant : training_.attendants) attendant->before_step(training_);
    }
    is_first_ = false;
    const bool is_own = share.takes(progress.batch);
    if (may_run_out_) before_ = {training_.is_within_round, training_.context.drawn()};
    const auto batch = is_own ? draw(*stream) : nullptr;
    ++progress.batch;
    ++progress.batches;
    const bool ends = progress.batch % round == 0 || progress.batch == batches;
    training_.is_within_round = !ends;
    if (is_own) hear(*batch, is_last_of_share(batches));
    if (!ends) continue;
    update();
    for (const auto& attendant : training_.attendants) attendant->after_step(training_);
  }
  training_.context.exchange();
  for (const auto& attendant : training_.attendants) attendant->after_epoch(training_);
}

std::shared_ptr<const graph::Batch> TrainingLoop::draw(graph::Stream& stream) {
  const auto started = std::chrono::steady_clock::now();
  auto batch = stream.next();
  training_.progress.waited_s +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (!batch) throw std::logic_error("an epoch has fewer batches than it was planned with");
  return batch;
}

/// Whether no other batch of the round at hand falls to this process than that which was counted
/// last. `batches`: of the epoch.
bool TrainingLoop::is_last_of_share(int64_t batches) const {
  const int64_t round = training_.params.options.batches_per_step, next = training_.progress.batch;
  const int64_t end = std::min(batches, (next + round - 1) / round * round);
  return next + training_.context.together().size() - 1 >= end;
}

/// A batch that was counted.
void TrainingLoop::hear(const graph::Batch& batch, bool is_last) {
  Progress& progress = training_.progress;
  ModelBatch prepared =
      to_model_batch(batch, *training_.state.tokenizer, training_.state.model->config(), rules_);
  const auto long_ones = leave_out_long(prepared, training_.params.max_duration_s);
  auto hearing = model::Hearing::whole;
  if (prepared.audio.rows > 0) {
    const int64_t round = training_.params.options.batches_per_step;
    try {
      hearing =
          training_.trainer.accumulate(prepared.audio,
                                       graph::mix({seed_, graph::key_of(training_.name),
                                                   static_cast<uint64_t>(progress.batches - 1)}),
                                       batch.number % round, is_last);
    } catch (const model::OutOfMemory& error) {
      put_back();
      end_out_of_memory(training_, prepared, error);
    }
  }
  training_.counted.audio_s += batch.speech_s();
  // Of several processes' batches the sum is taken once a step.
  if (training_.context.together().is_alone()) training_.meet();
  training_.count_time();
  for (const auto& attendant : training_.attendants) {
    attendant->after_batch(training_,
                           {batch, prepared, long_ones, hearing == model::Hearing::in_halves});
  }
}

/// The batch at hand is one that is still to be drawn.
void TrainingLoop::put_back() {
  --training_.progress.batch;
  --training_.progress.batches;
  if (!may_run_out_) return;
  training_.is_within_round = before_.is_within_round;
  training_.context.put_back(before_.drawn);
}

void TrainingLoop::update() {
  Progress& progress = training_.progress;
  try {
    training_.trainer.update(model::learning_rate(training_.params.schedule, progress.step,
                                                  training_.steps, progress.epoch,
                                                  training_.epochs));
  } catch (const model::OutOfMemory& error) {
    end_out_of_memory(training_, error);
  }
  ++progress.step;
  training_.meet();
  training_.count_time();
}

}  // namespace flowqat::nodes
