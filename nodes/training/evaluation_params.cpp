/// What a training is evaluated by while it runs.
#include "graph/error.h"
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "evaluate_every_epochs",
       .kind = ParamKind::integer,
       .fallback = 1,
       .minimum = 1,
       .doc = "epochs between evaluations on \"dev\"; the last step is always followed by one"},
      {.name = "evaluate_every_steps",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .doc = "steps between evaluations, in the place of epochs; 0: by epochs"},
      {.name = "evaluate_int8",
       .kind = ParamKind::boolean,
       .fallback = false,
       .doc = "evaluates what conversion to int8 would make of the model at that step, too"},
      {.name = "best_by",
       .kind = ParamKind::choice,
       .fallback = "wer",
       .choices = {"wer", "cer", "loss"},
       .doc = "the figure by which an evaluation is better than those before it: lower is better, "
              "and of equal ones the first"},
      {.name = "best_of",
       .kind = ParamKind::choice,
       .fallback = "trained",
       .choices = {"trained", "int8"},
       .doc = "whose figure that is: the model's as it trains, or the int8 model's"},
      {.name = "hand_on",
       .kind = ParamKind::choice,
       .fallback = "best",
       .choices = {"best", "last"},
       .doc = "which model is given on, where there is a \"dev\"; without one it is the last"},
      {.name = "patience",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .doc = "so many evaluations in a row without a better one end the training; 0: none do"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  EvaluationParams& evaluation = out.evaluation;
  evaluation.every_epochs = params.integer("evaluate_every_epochs");
  evaluation.every_steps = params.integer("evaluate_every_steps");
  evaluation.int8 = params.flag("evaluate_int8");
  evaluation.best_by = params.text("best_by");
  evaluation.best_is_int8 = params.text("best_of") == "int8";
  evaluation.hands_on_best = params.text("hand_on") == "best";
  evaluation.patience = params.integer("patience");
}

}  // namespace

void check_evaluation(const EvaluationParams& params, bool has_dev, std::optional<Stage> stage) {
  if (!has_dev) {
    const char* const key = params.every_steps > 0 ? "evaluate_every_steps"
                            : params.int8          ? "evaluate_int8"
                            : params.best_is_int8  ? "best_of"
                            : params.patience > 0  ? "patience"
                                                   : nullptr;
    if (key == nullptr) return;
    throw graph::GraphError(std::string("key \"") + key +
                            "\": needs the key \"dev\", a batch node whose stream it is evaluated "
                            "on");
  }
  if (params.best_is_int8 && !params.int8) {
    throw graph::GraphError(
        "key \"best_of\": \"int8\" needs \"evaluate_int8\": true, or there is no such figure");
  }
  if (params.int8 && stage == Stage::float32) {
    throw graph::GraphError(
        "key \"evaluate_int8\": the model is not calibrated, so it cannot become int8; put a "
        "calibrate node before this one");
  }
}

ParamGroup evaluation_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
