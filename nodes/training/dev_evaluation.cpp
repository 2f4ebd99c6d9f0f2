#include "nodes/training/dev_evaluation.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "nodes/support/inference.h"
#include "nodes/training/averaged_weights.h"
#include "nodes/training/dev_pass.h"
#include "nodes/training/quantization_phases.h"

namespace flowqat::nodes {
namespace {

constexpr const char* int8_name = "int8";

}  // namespace

void DevEvaluation::begin(Training& training) {
  training.dev_wer = dev_wer_;
  if (pending_) go_on(training);
  const int64_t patience = training.params.evaluation.patience;
  if (patience > 0 && since_best_ >= patience) training.is_over = true;
}

void DevEvaluation::after_step(Training& training) {
  const int64_t step = training.progress.step, every = training.params.evaluation.every_steps;
  if (step == training.steps || (every > 0 && step % every == 0)) evaluate(training);
}

void DevEvaluation::after_epoch(Training& training) {
  const EvaluationParams& params = training.params.evaluation;
  if (training.is_over || params.every_steps > 0) return;
  if ((training.progress.epoch + 1) % params.every_epochs == 0) evaluate(training);
}

/// A step is evaluated once: it may be the last of an epoch too, or one that a run resumes behind.
void DevEvaluation::evaluate(Training& training) {
  if (training.progress.step == last_step_) return;
  last_step_ = training.progress.step;
  pending_ = Pending{.epoch = training.progress.epoch + 1, .pass = name_of_trained(training)};
  go_on(training);
}

void DevEvaluation::go_on(Training& training) {
  while (run_pass(training)) {
    const bool wants_int8 = training.params.evaluation.int8 && counts(training);
    if (pending_->pass == int8_name || !wants_int8) return conclude(training);
    pending_->pass = int8_name;
    pending_->batch = 0;
  }
}

bool DevEvaluation::run_pass(Training& training) {
  const HandedOnWeights weights(training);
  std::shared_ptr<const model::AcousticModel> heard = training.state.model;
  if (pending_->pass == int8_name) {
    ModelState converted = training.state;
    converted.model = training.state.model->convert();
    converted.stage = Stage::int8;
    heard = inference_of(converted, "fastest");
  }
  return DevPass(training.context, dev_, training.name, *training.state.tokenizer, rules_)
      .run(*heard, pending_->pass, pending_->batch, pending_->figures[pending_->pass]);
}

void DevEvaluation::conclude(Training& training) {
  const EvaluationParams& params = training.params.evaluation;
  const std::string decides = params.best_is_int8 ? int8_name : name_of_trained(training);
  std::string said;
  for (const auto& [model, figures] : pending_->figures) {
    graph::Json record{{"step", last_step_},
                       {"epoch", pending_->epoch},
                       {"evaluation", dev_.name()},
                       {"model", model},
                       {"wer", figures.words.rate()},
                       {"cer", figures.characters.rate()},
                       {"loss", figures.loss()},
                       {"infinite_losses", figures.infinite_losses},
                       {"utterances", figures.utterances},
                       {"reference_words", figures.words.references()},
                       {"audio_s", figures.audio_s},
                       {"infer_s", figures.infer_s}};
    const bool decides_now = model == decides && counts(training);
    const double figure = figures.figure(params.best_by);
    const bool is_best = decides_now && std::isfinite(figure) &&
                         (!best_ || figure < best_->record.at(params.best_by).get<double>());
    if (model != int8_name) training.dev_wer = dev_wer_ = figures.words.rate();
    if (decides_now) since_best_ = is_best ? 0 : since_best_ + 1;
    record["best"] = is_best;
    if (is_best) {
      best_ = Best{.step = last_step_, .record = record};
      training.wants_checkpoint = true;
    }
    training.context.metric(record);
    said += (said.empty() ? "" : "; ") + model +
            graph::format(": WER %.2f %%, CER %.2f %%, loss %.3f", 100 * figures.words.rate(),
                          100 * figures.characters.rate(), figures.loss()) +
            (is_best ? ", the best so far" : "");
  }
  training.context.reporter().say(training.name + ": step " + graph::whole_text(last_step_) +
                                  " on " + dev_.name() + ": " + said);
  pending_.reset();
  if (params.patience > 0 && since_best_ >= params.patience) {
    training.is_over = true;
    training.context.reporter().say(training.name +
                                    ": ends here: " + graph::counted(since_best_, "evaluation") +
                                    " without a better " + params.best_by + " than that of step " +
                                    graph::whole_text(best_step().value_or(0)));
  }
}

void DevEvaluation::end(Training& training) {
  if (!best_) {
    training.context.reporter().say(
        training.name +
        ": no evaluation was of a model that trains as it ends; the last is handed "
        "on");
    return;
  }
  graph::Json best = best_->record;
  for (const char* key : {"best", "infer_s"}) best.erase(key);
  best["handed_on"] = training.params.evaluation.hands_on_best;
  training.context.summary()["best"][training.name] = std::move(best);
}

/// While a calibrated model still trains in float its figures are no measure of what comes of it.
bool DevEvaluation::counts(const Training& training) const {
  return training.state.stage != Stage::fake_quantized ||
         training.progress.step > phases_of(training.params, training.steps).fake_quantize_from;
}

std::string DevEvaluation::name_of_trained(const Training& training) const {
  return stage_name(counts(training) ? training.state.stage : Stage::float32);
}

std::optional<int64_t> DevEvaluation::best_step() const {
  if (!best_) return std::nullopt;
  return best_->step;
}

std::vector<int64_t> DevEvaluation::needs() const {
  if (!best_) return {};
  return {best_->step};
}

graph::Json DevEvaluation::state() const {
  graph::Json state{{"last_step", last_step_}, {"since_best", since_best_}};
  if (dev_wer_) state["dev_wer"] = *dev_wer_;
  if (best_) state["best"] = {{"step", best_->step}, {"record", best_->record}};
  if (pending_) {
    graph::Json figures = graph::Json::object();
    for (const auto& [model, sums] : pending_->figures) figures[model] = to_json(sums);
    state["pending"] = {{"epoch", pending_->epoch},
                        {"pass", pending_->pass},
                        {"batch", pending_->batch},
                        {"figures", figures}};
  }
  return state;
}

void DevEvaluation::restore(const graph::Json& state) {
  last_step_ = state.at("last_step");
  since_best_ = state.at("since_best");
  if (state.contains("dev_wer")) dev_wer_ = state.at("dev_wer").get<double>();
  if (state.contains("best")) {
    best_ = Best{.step = state.at("best").at("step"), .record = state.at("best").at("record")};
  }
  if (!state.contains("pending")) return;
  const graph::Json& pending = state.at("pending");
  pending_ = Pending{
      .epoch = pending.at("epoch"), .pass = pending.at("pass"), .batch = pending.at("batch")};
  for (const auto& [model, figures] : pending.at("figures").items()) {
    pending_->figures[model] = dev_figures(figures);
  }
}

}  // namespace flowqat::nodes
