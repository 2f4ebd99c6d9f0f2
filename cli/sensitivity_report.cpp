#include "cli/sensitivity_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/format.h"

namespace flowqat::cli {
namespace {

using graph::format;
using graph::Json;
using nodes::Unit;

size_t layer_count(const std::vector<Unit>& units) {
  size_t count = 0;
  for (const Unit& unit : units) count += unit.layers.size();
  return count;
}

std::string row(int width, const std::string& name, double logit_error, double wer,
                double wer_float) {
  return format("%-*.200s %14.2f %8.2f %+9.2f\n", width, name.c_str(), 100 * logit_error, 100 * wer,
                100 * (wer - wer_float));
}

std::string proposal_text(const Sensitivity& found) {
  const size_t all = layer_count(found.units), in_float = found.proposal.in_float.size();
  const double cost = 100 * (found.proposal.wer - found.wer_float);
  std::string text = format("\nproposal: WER %.2f %%, %+.2f points of at most %+.2f, with ",
                            100 * found.proposal.wer, cost, found.budget);
  if (in_float == 0) return text + format("all %zu layers quantized\n", all);
  text += format("%zu of %zu layers in float:\n", in_float, all);
  for (const std::string& layer : found.proposal.in_float) text += "  " + layer + "\n";
  return text;
}

}  // namespace

Json as_json(const nodes::Unit& unit, double wer_float) {
  return {{"name", unit.name},
          {"layers", unit.layers},
          {"logit_error", unit.logit_error},
          {"wer", unit.wer},
          {"wer_damage", unit.wer - wer_float}};
}

Json as_json(const Sensitivity& found) {
  Json units = Json::array();
  for (const Unit& unit : found.units) units.push_back(as_json(unit, found.wer_float));
  return {{"utterances", found.utterances},
          {"wer_float", found.wer_float},
          {"wer_all", found.wer_all},
          {"logit_error_all", found.logit_error_all},
          {"units", units},
          {"proposal",
           {{"wer", found.proposal.wer},
            {"budget", found.budget},
            {"in_float", found.proposal.in_float},
            {"evaluations", found.proposal.evaluations},
            {"policy", Json(model::policy_to_json(found.policy))}}}};
}

std::string as_text(const Sensitivity& found) {
  size_t width = 24;
  for (const Unit& unit : found.units) width = std::max(width, unit.name.size());
  const int columns = static_cast<int>(width);
  std::string text =
      format("%-*s %14s %8s %9s\n", columns, "quantized alone", "logit error %", "WER %", "points");
  for (const Unit& unit : found.units) {
    text += row(columns, unit.name, unit.logit_error, unit.wer, found.wer_float);
  }
  text += row(columns, "all of them", found.logit_error_all, found.wer_all, found.wer_float);
  text += row(columns, "none", 0, found.wer_float, found.wer_float);
  return text + proposal_text(found);
}

}  // namespace flowqat::cli
