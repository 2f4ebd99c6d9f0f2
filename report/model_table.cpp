#include "report/model_table.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "graph/format.h"
#include "report/html.h"

namespace flowqat::report {
namespace {

using graph::format;
using graph::Json;

/// What stands in objects within one another; null where anything is missing.
const Json& at(const Json& json, const std::vector<std::string>& keys) {
  static const Json null;
  const Json* place = &json;
  for (const std::string& key : keys) {
    if (!place->is_object()) return null;
    const auto found = place->find(key);
    if (found == place->end()) return null;
    place = &*found;
  }
  return *place;
}

std::string cell(const std::string& text) { return "<td>" + escape_html(text) + "</td>"; }

/// "+0.73 (+0.31 to +1.20)", in points.
std::string difference(const Json& told) {
  const Json &points = at(told, {"difference"}), &low = at(told, {"low"}),
             &high = at(told, {"high"}), &noise = at(told, {"noise"});
  if (!points.is_number()) return "";
  std::string text = format("%+.2f", 100 * points.get<double>());
  if (low.is_number() && high.is_number()) {
    text += format(" (%+.2f to %+.2f)", 100 * low.get<double>(), 100 * high.get<double>());
  }
  return text + (noise.is_boolean() && noise.get<bool>() ? " noise" : "");
}

std::string table(const std::string& node, const RunFigures& figures, const Json& summary) {
  const Json& told = at(summary, {"evaluations", node});
  const Json& differences = at(told, {"differences"});
  const Json& baseline = at(differences, {"to"});
  const std::string to = baseline.is_string() ? baseline.get<std::string>() : "";
  std::string text = "<h3>" + escape_html(node) +
                     "</h3>\n<div class=\"wide\"><table><tr><th>model"
                     "</th><th>WER %</th><th>CER %</th>";
  if (!to.empty()) text += "<th>WER against " + escape_html(to) + ", points</th>";
  text += "<th>size MB</th><th>x real time</th></tr>\n";
  bool has_noise = false;
  for (const EvaluationFigures& model : figures.evaluated()) {
    if (model.node != node || model.while_training) continue;
    text += "<tr>" + cell(model.model) + cell(format("%.2f", 100 * model.wer.last())) +
            cell(format("%.2f", 100 * model.cer.last()));
    if (!to.empty()) {
      const std::string against = difference(at(differences, {"wer", model.model}));
      has_noise |= against.ends_with("noise");
      text += cell(against);
    }
    const Json& bytes = at(told, {"size_bytes", model.model});
    text += cell(bytes.is_number() ? format("%.2f", bytes.get<double>() / 1e6) : "") +
            cell(format("%.1f", model.x_realtime)) + "</tr>\n";
  }
  text += "</table></div>\n";
  if (!to.empty()) {
    text +=
        "<p class=\"quiet\">In brackets the 95 % interval, by a paired bootstrap over the "
        "utterances.";
    if (has_noise) {
      text += " Noise: it holds 0, so these utterances do not tell which model is better.";
    }
    text += "</p>\n";
  }
  return text;
}

}  // namespace

std::string model_tables(const RunFigures& figures, const Json& summary) {
  std::string text;
  std::vector<std::string> nodes;
  for (const EvaluationFigures& model : figures.evaluated()) {
    if (model.while_training) continue;
    if (std::find(nodes.begin(), nodes.end(), model.node) != nodes.end()) continue;
    nodes.push_back(model.node);
    text += table(model.node, figures, summary);
  }
  return text;
}

}  // namespace flowqat::report
