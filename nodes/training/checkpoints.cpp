#include "nodes/training/checkpoints.h"

#include <nlohmann/json.hpp>

#include "graph/plain_numbers.h"
#include "io/tensors/safetensors.h"
#include "nodes/support/model_folder.h"

namespace flowqat::nodes {

void Checkpoints::begin(Training&) { last_ = std::chrono::steady_clock::now(); }

void Checkpoints::after_step(Training& training) {
  graph::StepContext& context = training.context;
  const double every_s = training.params.checkpoint_every_s;
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last_;
  const bool is_due = every_s > 0 && since.count() >= every_s;
  if (!is_due && context.stop_signal() == 0) return;
  const int64_t step = training.progress.step;
  context.checkpoint(step, training.saved(), training.params.keep_checkpoints,
                     [&](const std::filesystem::path& folder) {
                       save_model(training.state, folder);
                       io::write_safetensors(folder / "optimizer.safetensors",
                                             to_io_tensors(training.trainer.state()));
                     });
  last_ = std::chrono::steady_clock::now();
  if (context.stop_signal() != 0) {
    context.reporter().say(training.name + ": saved after step " + graph::whole_text(step) +
                           " of " + graph::whole_text(training.steps) + "; go on with --resume " +
                           context.folder().string());
    throw graph::Interrupted(context.stop_signal());
  }
}

}  // namespace flowqat::nodes
