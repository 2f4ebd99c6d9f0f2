/// How long a training lasts, and of what its steps are.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "epochs",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .doc = "passes over the stream; 0: one, or with max_steps as many as those take",
       .may_grow = true},
      {.name = "max_steps",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .doc = "optimizer steps at the most, whatever the epochs are; 0: no such limit",
       .may_grow = true},
      {.name = "batches_per_step",
       .kind = ParamKind::integer,
       .fallback = 1,
       .minimum = 1,
       .doc =
           "batches of a round, which has one optimizer step with the gradient of all their rows "
           "together; what an epoch leaves over is a shorter round"},
      {.name = "max_duration_s",
       .kind = ParamKind::number,
       .fallback = 30,
       .unit = "s",
       .minimum = 0,
       .doc =
           "longer utterances of the corpus are not trained on, and are listed in rejected.jsonl: "
           "one of minutes needs more memory than all others; 0: none is too long"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.max_duration_s = params.number("max_duration_s");
  out.max_steps = params.integer("max_steps");
  out.epochs = params.integer("epochs");
  if (out.epochs == 0 && out.max_steps == 0) out.epochs = 1;
  out.options.batches_per_step = params.integer("batches_per_step");
}

}  // namespace

ParamGroup length_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
