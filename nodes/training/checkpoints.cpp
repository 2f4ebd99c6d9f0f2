#include "nodes/training/checkpoints.h"

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "graph/plain_numbers.h"
#include "io/tensors/safetensors.h"
#include "nodes/support/model_folder.h"

namespace flowqat::nodes {

void save_checkpoint(Training& training) {
  training.meet();
  for (const auto& attendant : training.attendants) attendant->before_save(training);
  model::Tensors optimizer = training.trainer.state();  // of which each process may have a part
  const int64_t step = training.progress.step + (training.is_within_round ? 1 : 0);
  training.context.checkpoint(
      step, training.saved(), training.params.keep_checkpoints,
      [&](const std::filesystem::path& folder) {
        save_model(training.state, folder);
        io::write_safetensors(folder / "optimizer.safetensors",
                              to_io_tensors(std::move(optimizer)));
      },
      training.needs());
}

/// What is left of an evaluation that was stopped comes before the first step.
void Checkpoints::begin(Training& training) {
  last_ = std::chrono::steady_clock::now();
  if (training.context.resumed()) save_if(false, training);
}

/// Several processes stop at the end of a round, where all of them come by.
void Checkpoints::after_batch(Training& training, const Heard&) {
  if (!training.context.together().is_alone()) return;
  if (training.is_within_round && training.context.stop_signal() != 0) save_and_stop(training);
}

void Checkpoints::after_step(Training& training) {
  const double every_s = training.params.checkpoint_every_s;
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last_;
  // The last one lets the training be made longer.
  const bool is_last = training.is_over || training.progress.step >= training.steps;
  if (every_s == 0) return save_if(false, training);
  // Rank 0's clock decides.
  graph::Together& together = training.context.together();
  double is_due = together.is_first() && (since.count() >= every_s || is_last) ? 1 : 0;
  together.agree(std::span(&is_due, 1));
  save_if(is_due > 0, training);
}

void Checkpoints::after_epoch(Training& training) { save_if(false, training); }

void Checkpoints::save_if(bool is_due, Training& training) {
  is_due |= std::exchange(training.wants_checkpoint, false);
  if (training.context.stop_signal() != 0) save_and_stop(training);
  if (!is_due) return;
  save_checkpoint(training);
  last_ = std::chrono::steady_clock::now();
}

void Checkpoints::save_and_stop(Training& training) {
  save_checkpoint(training);
  const Progress& progress = training.progress;
  std::string where = "after step " + graph::whole_text(progress.step);
  if (training.is_within_round) {
    const int64_t round = training.params.options.batches_per_step;
    where = "after " + graph::counted(progress.batch % round, "batch", "batches") + " of step " +
            graph::whole_text(progress.step + 1);
  }
  training.context.reporter().say(training.name + ": saved " + where + " of " +
                                  graph::whole_text(training.steps) + "; go on with --resume " +
                                  training.context.folder().string());
  throw graph::Interrupted(training.context.stop_signal());
}

}  // namespace flowqat::nodes
