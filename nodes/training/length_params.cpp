/// How long a training lasts.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "epochs",
       .kind = ParamKind::integer,
       .fallback = 1,
       .minimum = 1,
       .doc = "passes over the stream"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.epochs = params.integer("epochs");
}

}  // namespace

ParamGroup length_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
