#include "report/run_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/run_standing.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/model_table.h"
#include "report/range_table.h"

namespace flowqat::report {
namespace {

using graph::format;

constexpr int refresh_s = 30;

std::string figure(const std::string& name, const std::string& value) {
  return "<div><dd>" + escape_html(value) + "</dd><dt>" + escape_html(name) + "</dt></div>\n";
}

std::string percent(double rate) { return format("%.2f %%", 100 * rate); }

/// The node of evaluations that come again and again, or of the last one: by its lowest rate.
const EvaluationFigures* best(const RunFigures& figures) {
  const EvaluationFigures* found = nullptr;
  double lowest = 0;
  for (const EvaluationFigures& one : figures.evaluated()) {
    for (const Series::Bucket& bucket : one.wer.buckets()) {
      if (found == nullptr || bucket.min < lowest) {
        found = &one;
        lowest = bucket.min;
      }
    }
  }
  return found;
}

double lowest_wer(const EvaluationFigures& one) {
  double lowest = one.wer.first();
  for (const Series::Bucket& bucket : one.wer.buckets()) lowest = std::min(lowest, bucket.min);
  return lowest;
}

std::string overview(const RunView& view) {
  const RunFigures& figures = view.figures;
  std::string state = "<b>" + graph::state_name(view.state) + "</b>";
  if (!view.why.empty()) state += ": " + escape_html(view.why);
  std::string text =
      "<p>This run is " + state + ". <span class=\"quiet\">Written " + escape_html(view.written) +
      (view.state == graph::RunState::running ? "; older than some minutes, it was killed" : "") +
      ".</span></p>\n<dl class=\"figures\">\n";
  if (!figures.trained().empty()) {
    const TrainFigures& last = figures.trained().back();
    text += figure("steps of " + last.node, graph::whole_text(last.step)) +
            figure("epoch", graph::whole_text(last.epoch));
    if (!last.loss.empty()) text += figure("loss", format("%.3f", last.loss.last()));
    if (last.wall_s > 0) {
      text += figure("of audio heard", graph::duration_text(last.audio_s)) +
              figure("of training", graph::duration_text(last.wall_s)) +
              figure("x real time", format("%.1f", last.audio_s / last.wall_s)) +
              figure("waited for data",
                     graph::percent_text(std::clamp(last.waited_s / last.wall_s, 0.0, 1.0)));
    }
  }
  if (const EvaluationFigures* one = best(figures)) {
    text += figure("best WER" + (one->model.empty() ? "" : ", " + one->model),
                   percent(lowest_wer(*one)));
  }
  if (view.rejected.count() > 0) {
    text += figure("rejected", graph::whole_text(view.rejected.count()));
  }
  return text + "</dl>\n";
}

/// A chart of the same figure of every train node.
std::string of_nodes(const RunFigures& figures, Chart chart, Series TrainFigures::*field) {
  for (const TrainFigures& node : figures.trained()) {
    if (!(node.*field).empty()) chart.curves.push_back({node.node, &(node.*field)});
  }
  return draw(chart);
}

/// Of what is evaluated while it is trained; the others are in the table.
std::string evaluation_charts(const RunFigures& figures) {
  Chart wer{.title = "Word error rate", .unit = "%", .factor = 100, .points = true};
  Chart cer{.title = "Character error rate", .unit = "%", .factor = 100, .points = true};
  Chart loss{.title = "Loss", .unit = "nats a token", .may_be_log = true, .points = true};
  for (const EvaluationFigures& one : figures.evaluated()) {
    if (!one.while_training) continue;
    const std::string name = one.model.empty() ? one.node : one.node + ": " + one.model;
    wer.curves.push_back({name, &one.wer});
    cer.curves.push_back({name, &one.cer});
    if (!one.loss.empty()) loss.curves.push_back({name, &one.loss});
  }
  return draw(wer) + draw(cer) + draw(loss);
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? "" : "<h2>" + escape_html(title) + "</h2>\n" + content;
}

std::string charts(const std::string& content) {
  return content.empty() ? "" : "<div class=\"charts\">\n" + content + "</div>\n";
}

std::string learning(const RunFigures& figures) {
  const std::string text =
      charts(of_nodes(figures, {.title = "Loss", .may_be_log = true}, &TrainFigures::loss) +
             of_nodes(figures, {.title = "Gradient norm", .may_be_log = true},
                      &TrainFigures::gradient_norm) +
             of_nodes(figures, {.title = "Learning rate"}, &TrainFigures::learning_rate));
  if (text.empty()) return "";
  return text + "<p class=\"quiet\">Over the optimizer steps of the whole run.</p>\n";
}

std::string speed(const RunFigures& figures) {
  return charts(
      of_nodes(figures, {.title = "Audio trained on", .unit = "x real time"},
               &TrainFigures::x_realtime) +
      of_nodes(figures,
               {.title = "Share of the time that data held it up", .unit = "%", .factor = 100},
               &TrainFigures::starved_share));
}

std::string graph_text(const graph::Json& graph) {
  if (graph.is_null()) return "";
  return "<details><summary>What was run, with every default</summary>\n<pre>" +
         escape_html(graph.dump(2, ' ', false, graph::Json::error_handler_t::replace)) +
         "</pre></details>\n";
}

}  // namespace

std::string run_page(const RunView& view) {
  const RunFigures& figures = view.figures;
  return html_head(view.title, view.state == graph::RunState::running ? refresh_s : 0) +
         overview(view) + section("Models", model_tables(figures, view.summary)) +
         section("Learning", learning(figures)) +
         section("Evaluations while training", charts(evaluation_charts(figures))) +
         section("Speed", speed(figures)) +
         section("Ranges of the quantizers", range_table(figures.ranges())) + view.worst +
         section("Rejected", view.rejected.html()) + section("Graph", graph_text(view.graph)) +
         html_end();
}

}  // namespace flowqat::report
