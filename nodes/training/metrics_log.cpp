#include "nodes/training/metrics_log.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "graph/format.h"
#include "graph/plain_numbers.h"

namespace flowqat::nodes {

void MetricsLog::after_step(Training& training) {
  if (training.progress.step % training.params.log_every_steps == 0) log(training);
}

void MetricsLog::after_epoch(Training& training) { log(training); }

void MetricsLog::log(Training& training) {
  Progress& progress = training.progress;
  const model::TrainMetrics metrics = training.trainer.metrics();
  training.count_time();
  if (metrics.steps == 0) return;
  progress.infinite_losses += metrics.infinite_losses;
  const double rate = model::learning_rate(training.params.schedule, progress.step - 1,
                                           training.steps, progress.epoch, training.epochs);
  graph::Json line{{"step", progress.step}, {"epoch", progress.epoch + 1}};
  overflows_ += metrics.overflows;
  const bool has_means = metrics.skipped + metrics.overflows < metrics.steps;
  if (has_means) {
    line["loss"] = metrics.loss;
    line["gradient_norm"] = metrics.gradient_norm;
  }
  line.update({{"learning_rate", rate},
               {"infinite_losses", metrics.infinite_losses},
               {"audio_s", progress.audio_s},
               {"wall_s", progress.wall_s},
               {"starved_share", progress.waited_s / progress.wall_s}});
  if (metrics.skipped > 0) line["skipped_steps"] = metrics.skipped;
  if (metrics.loss_scale > 0) line["loss_scale"] = metrics.loss_scale;
  if (metrics.overflows > 0) line["overflowed_steps"] = metrics.overflows;
  training.context.metric(line);
  const double left_s = progress.wall_s / static_cast<double>(progress.step) *
                        static_cast<double>(training.steps - progress.step);
  std::vector<std::string> more{has_means ? graph::format("loss %.3f", metrics.loss) : "no loss"};
  if (training.dev_wer) more.push_back(graph::format("dev WER %.1f %%", 100 * *training.dev_wer));
  more.insert(more.end(), {graph::format("%.1f x real time", progress.audio_s / progress.wall_s),
                           "starved " + graph::percent_text(progress.waited_s / progress.wall_s),
                           "epoch " + graph::whole_text(progress.epoch + 1) + " of " +
                               graph::whole_text(training.epochs)});
  training.context.progress({.what = training.name,
                             .done = progress.step,
                             .total = training.steps,
                             .unit = "steps",
                             .more = std::move(more),
                             .left_s = left_s});
}

void MetricsLog::end(Training& training) {
  log(training);
  const Progress& progress = training.progress;
  graph::StepContext& context = training.context;
  graph::Json& train = context.summary().emplace("train", graph::Json::object()).first.value();
  const auto add = [&](const char* key, double value) {
    train[key] = train.value(key, 0.0) + value;
  };
  add("audio_s", progress.audio_s);
  add("wall_s", progress.wall_s);
  add("waited_s", progress.waited_s);
  if (overflows_ > 0) {
    train["overflowed_steps"] = train.value("overflowed_steps", int64_t{0}) + overflows_;
  }
  train["starved_share"] = train["waited_s"].get<double>() / train["wall_s"].get<double>();
}

graph::Json MetricsLog::state() const { return {{"overflows", overflows_}}; }

void MetricsLog::restore(const graph::Json& state) {
  overflows_ = state.at("overflows").get<int64_t>();
}

}  // namespace flowqat::nodes
