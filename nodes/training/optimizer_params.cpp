/// What a step makes of its gradient.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "beta1",
       .kind = ParamKind::number,
       .fallback = 0.9,
       .minimum = 0,
       .maximum = 1,
       .doc = "AdamW"},
      {.name = "beta2",
       .kind = ParamKind::number,
       .fallback = 0.999,
       .minimum = 0,
       .maximum = 1,
       .doc = "AdamW"},
      {.name = "epsilon",
       .kind = ParamKind::number,
       .fallback = 1e-8,
       .minimum = 0,
       .doc = "AdamW"},
      {.name = "weight_decay",
       .kind = ParamKind::number,
       .fallback = 0.01,
       .minimum = 0,
       .doc = "AdamW"},
      {.name = "decay",
       .kind = ParamKind::choice,
       .fallback = "all",
       .choices = {"all", "matrices"},
       .doc = "what decays: all parameters, or only those of two dimensions and more"},
      {.name = "clip_norm",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "largest norm of the whole gradient; 0: no clipping"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.options.beta1 = params.number("beta1");
  out.options.beta2 = params.number("beta2");
  out.options.epsilon = params.number("epsilon");
  out.options.weight_decay = params.number("weight_decay");
  out.options.decay_matrices_only = params.text("decay") == "matrices";
  out.options.clip_norm = params.number("clip_norm");
}

}  // namespace

ParamGroup optimizer_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
