/// What is learnt: transcripts, and a teacher.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "reduction",
       .kind = ParamKind::choice,
       .fallback = "mean",
       .choices = {"mean", "sum", "utterances", "characters", "model"},
       .doc =
           "CTC over the step's utterances: PyTorch's mean (of each by its characters) or sum, or "
           "the sum divided by the utterances (fairseq's sentence_avg) or by the target "
           "characters; model: as the model's config.json says, zero_infinity included"},
      {.name = "zero_infinity",
       .kind = ParamKind::boolean,
       .fallback = true,
       .doc = "a transcript too long for its frames counts as no loss instead of an infinite one"},
      {.name = "distillation_weight",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "of T^2 KL(teacher || model), a mean over frames, which is added to the CTC loss; "
              "above 0 where there is a teacher"},
      {.name = "distillation_temperature",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0.1,
       .maximum = 100,
       .doc = "T, by which both models' logits are divided"},
  };
}

void read(const graph::Params& params, const model::Config& config, TrainParams& out) {
  const bool as_model = params.text("reduction") == "model";
  const std::string reduction = as_model ? config.ctc_loss_reduction : params.text("reduction");
  out.options.reduction = reduction == "mean"         ? model::CtcReduction::mean
                          : reduction == "sum"        ? model::CtcReduction::sum
                          : reduction == "utterances" ? model::CtcReduction::utterances
                                                      : model::CtcReduction::characters;
  out.options.zero_infinity = as_model ? config.ctc_zero_infinity : params.flag("zero_infinity");
  out.options.distillation_weight = params.number("distillation_weight");
  out.options.distillation_temperature = params.number("distillation_temperature");
}

}  // namespace

ParamGroup loss_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
