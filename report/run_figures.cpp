#include "report/run_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace flowqat::report {
namespace {

using graph::Json;

constexpr size_t range_buckets = 60, most_ranges = 4000;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

double number(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? found->get<double>() : none;
}

std::string text(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The one that `is_it` tells, or a new one at the end.
template <class Figures, class Is>
Figures& of(std::deque<Figures>& all, const Is& is_it, Figures fresh) {
  const auto found = std::find_if(all.begin(), all.end(), is_it);
  return found != all.end() ? *found : all.emplace_back(std::move(fresh));
}

}  // namespace

double RangeFigures::change() const {
  const double before = upper.first() - lower.first(), now = upper.last() - lower.last();
  return before > 0 && now > 0 ? now / before : 1;
}

void RunFigures::add(const Json& line) {
  ++lines_;
  step_ = steps_.step_of(line);
  const auto step = static_cast<double>(step_);
  const std::string node = text(line, "node");
  if (const auto ranges = line.find("ranges"); ranges != line.end() && ranges->is_object()) {
    add_ranges(*ranges, node, step);
  }
  if (std::isfinite(number(line, "wer"))) {
    const std::string model = text(line, "model");
    EvaluationFigures& figures = of(
        evaluated_, [&](const auto& one) { return one.node == node && one.model == model; },
        EvaluationFigures{.node = node,
                          .model = model,
                          .while_training = line.contains("evaluation"),
                          .wer = {},
                          .cer = {},
                          .loss = {}});
    figures.wer.add(step, number(line, "wer"));
    figures.cer.add(step, number(line, "cer"));
    figures.loss.add(step, number(line, "loss"));
    const double audio_s = number(line, "audio_s"), infer_s = number(line, "infer_s");
    figures.x_realtime = infer_s > 0 && audio_s > 0 ? audio_s / infer_s : 0;
  } else if (line.contains("learning_rate")) {
    add_training(line, node, step);
  }
}

void RunFigures::add_training(const Json& line, const std::string& node, double step) {
  TrainFigures& figures = of(
      trained_, [&](const auto& one) { return one.node == node; },
      TrainFigures{.node = node,
                   .loss = {},
                   .gradient_norm = {},
                   .learning_rate = {},
                   .x_realtime = {},
                   .starved_share = {}});
  figures.loss.add(step, number(line, "loss"));
  figures.gradient_norm.add(step, number(line, "gradient_norm"));
  figures.learning_rate.add(step, number(line, "learning_rate"));
  const double own = number(line, "step"), epoch = number(line, "epoch");
  if (own >= 0 && own < 1e15) figures.step = static_cast<int64_t>(own);
  if (epoch >= 0 && epoch < 1e15) figures.epoch = static_cast<int64_t>(epoch);
  const double audio_s = number(line, "audio_s"), wall_s = number(line, "wall_s"),
               waited_s = wall_s * number(line, "starved_share");
  if (!std::isfinite(audio_s) || !std::isfinite(wall_s) || !std::isfinite(waited_s)) return;
  if (wall_s > figures.wall_s) {
    const double passed_s = wall_s - figures.wall_s;
    figures.x_realtime.add(step, (audio_s - figures.audio_s) / passed_s);
    figures.starved_share.add(step, std::clamp((waited_s - figures.waited_s) / passed_s, 0.0, 1.0));
  }
  figures.audio_s = audio_s;
  figures.wall_s = wall_s;
  figures.waited_s = waited_s;
}

void RunFigures::add_ranges(const Json& ranges, const std::string& node, double step) {
  for (const auto& [layer, tensors] : ranges.items()) {
    if (!tensors.is_object()) continue;
    for (const auto& [tensor, range] : tensors.items()) {
      if (!range.is_array() || range.size() != 2 || !range[0].is_number() ||
          !range[1].is_number()) {
        continue;
      }
      const auto is_it = [&, &layer = layer, &tensor = tensor](const RangeFigures& one) {
        return one.tensor == tensor && one.layer == layer && one.node == node;
      };
      auto found = std::find_if(ranges_.begin(), ranges_.end(), is_it);
      if (found == ranges_.end()) {
        if (ranges_.size() >= most_ranges) continue;
        ranges_.push_back({.node = node,
                           .layer = layer,
                           .tensor = tensor,
                           .lower = Series(range_buckets),
                           .upper = Series(range_buckets)});
        found = ranges_.end() - 1;
      }
      found->lower.add(step, range[0].get<double>());
      found->upper.add(step, range[1].get<double>());
    }
  }
}

}  // namespace flowqat::report
