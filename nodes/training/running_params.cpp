/// What a training leaves while it runs.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "log_every_steps",
       .kind = ParamKind::integer,
       .fallback = 20,
       .minimum = 1,
       .doc = "steps between lines of metrics.jsonl",
       .may_change = true},
      {.name = "checkpoint_every_s",
       .kind = ParamKind::number,
       .fallback = 600,
       .unit = "s",
       .minimum = 0,
       .doc = "time between checkpoints, beside one at the end; 0: only when interrupted",
       .may_change = true},
      {.name = "keep_checkpoints",
       .kind = ParamKind::integer,
       .fallback = 2,
       .minimum = 1,
       .maximum = 1000,
       .doc = "how many checkpoints are kept",
       .may_change = true},
      {.name = "max_skipped_steps",
       .kind = ParamKind::integer,
       .fallback = 20,
       .minimum = 0,
       .doc =
           "how many steps may be left out because their loss or gradient is not a finite number, "
           "before that ends the run",
       .may_change = true},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.log_every_steps = params.integer("log_every_steps");
  out.checkpoint_every_s = params.number("checkpoint_every_s");
  out.max_skipped_steps = params.integer("max_skipped_steps");
  out.keep_checkpoints = static_cast<int>(params.integer("keep_checkpoints"));
}

}  // namespace

ParamGroup running_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
