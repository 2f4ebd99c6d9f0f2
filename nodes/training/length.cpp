#include "nodes/training/length.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "nodes/training/quantization_phases.h"

namespace flowqat::nodes {
namespace {

/// Whether the steps so far had the rates that they have in a training of the new length. Epochs
/// are taken for equally long.
bool has_same_rates(const Training& training, int64_t steps_before, int64_t epochs_before) {
  const int64_t done = training.progress.step;
  for (int64_t step = 0; step < done; ++step) {
    const int64_t epoch = (training.progress.epoch + 1) * step / std::max<int64_t>(done, 1);
    const model::ScheduleOptions& schedule = training.params.schedule;
    if (model::learning_rate(schedule, step, steps_before, epoch, epochs_before) !=
        model::learning_rate(schedule, step, training.steps, epoch, training.epochs)) {
      return false;
    }
  }
  return true;
}

bool has_same_phases(const Training& training, int64_t steps_before) {
  const Phases before = phases_of(training.params, steps_before),
               now = phases_of(training.params, training.steps);
  const auto reached = [&](int64_t from) { return std::min(from, training.progress.step); };
  return reached(before.fake_quantize_from) == reached(now.fake_quantize_from) &&
         reached(before.freeze_from) == reached(now.freeze_from);
}

}  // namespace

void check_length(Training& training, const graph::Json& saved) {
  const int64_t done = training.progress.step + (training.is_within_round ? 1 : 0);
  if (done > training.steps) {
    throw graph::GraphError("node \"" + training.name + "\": has gone " +
                            graph::counted(done, "step") + " already, and \"epochs\" and " +
                            "\"max_steps\" ask for " + graph::whole_text(training.steps) +
                            ": a run that is resumed can be made longer, but not shorter");
  }
  const auto steps_before = saved.at("steps").get<int64_t>();
  if (steps_before == training.steps) return;
  std::string line = training.name + ": goes on to " + graph::counted(training.steps, "step") +
                     " instead of " + graph::whole_text(steps_before);
  const bool rates = has_same_rates(training, steps_before, saved.at("epochs").get<int64_t>());
  const bool phases =
      training.state.stage != Stage::fake_quantized || has_same_phases(training, steps_before);
  if (rates && phases) {
    line += ", as one of that length from its beginning would have come here";
  } else {
    line += "; one of that length from its beginning would have come here with other ";
    line += rates    ? "phases of quantization"
            : phases ? "learning rates"
                     : "learning rates and phases";
    line += ", because they span the whole training, so the result is another than such a run's";
  }
  training.context.reporter().say(line);
}

}  // namespace flowqat::nodes
