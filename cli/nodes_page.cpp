#include "cli/nodes_page.h"

#include <nlohmann/json.hpp>

#include "cli/markdown.h"
#include "graph/format.h"
#include "graph/graph_file.h"
#include "graph/params.h"

namespace flowqat::cli {
namespace {

using graph::EdgeKind;
using graph::InputSpec;
using graph::NodeType;
using graph::ParamSpec;

std::string default_of(const ParamSpec& param) {
  return param.fallback.is_none() ? "" : param.fallback.json().dump();
}

std::string edge_kind(const InputSpec& input) {
  return (input.many ? "one or more nodes that each give " : "a node that gives ") +
         graph::edge_name(input.kind);
}

/// The order in which a graph is read: what gives audio, what makes batches, models, results.
constexpr EdgeKind kinds[] = {EdgeKind::utterances, EdgeKind::batches, EdgeKind::model,
                              EdgeKind::none};

const char* section_of(EdgeKind kind, bool has_inputs) {
  if (kind == EdgeKind::utterances) return has_inputs ? "Transforms" : "Sources";
  if (kind == EdgeKind::batches) return "Batches";
  return kind == EdgeKind::model ? "Models" : "Results";
}

std::string param_row(const ParamSpec& param) {
  const std::string fallback = default_of(param);
  return "| `" + param.name + "` | " + escape_markdown(graph::describe_kind(param)) + " | " +
         (fallback.empty() ? "needed" : "`" + fallback + "`") + " | " + escape_markdown(param.doc) +
         " |\n";
}

std::string type_section(const NodeType& type) {
  std::string text = "\n### " + type.name + "\n\n" + sentence(type.doc) + " Gives " +
                     graph::edge_name(type.output) + ".\n";
  if (!type.inputs.empty()) {
    text += "\n| edge | from | | what it is |\n|---|---|---|---|\n";
    for (const InputSpec& input : type.inputs) {
      text += "| `" + input.key + "` | " + edge_kind(input) + " | " +
              (input.required ? "needed" : "optional") + " | " + escape_markdown(input.doc) +
              " |\n";
    }
  }
  if (!type.params.empty()) {
    text += "\n| key | value | default | what it is |\n|---|---|---|---|\n";
    for (const ParamSpec& param : type.params) text += param_row(param);
  }
  return text;
}

}  // namespace

std::string nodes_text() {
  std::string text = "node types\n";
  for (const auto& [name, type] : graph::node_types()) {
    text += graph::format("  %-19s ", name.c_str()) + type.doc + "\n";
  }
  text += "\ntop-level keys\n";
  for (const ParamSpec& key : graph::setting_specs()) {
    text += graph::format("  %-19s ", key.name.c_str()) + key.doc + " (" +
            graph::describe_kind(key) + "; default " + default_of(key) + ")\n";
  }
  return text + "\nEverything may have a \"comment\". flowqat nodes TYPE says more.\n";
}

std::string key_text(const ParamSpec& param) {
  const std::string fallback = default_of(param);
  return "  " + param.name + ": " + param.doc + "\n      " + graph::describe_kind(param) +
         (fallback.empty() ? "; needed" : "; default " + fallback) + "\n";
}

std::string node_text(const NodeType& type) {
  std::string text =
      type.name + ": " + type.doc + "\ngives " + graph::edge_name(type.output) + "\n";
  if (!type.inputs.empty()) text += "\nedges\n";
  for (const InputSpec& input : type.inputs) {
    text += "  " + input.key + ": " + input.doc + "\n      " +
            (input.required ? "needed; " : "optional; ") + edge_kind(input) + "\n";
  }
  if (!type.params.empty()) text += "\nparameters\n";
  for (const ParamSpec& param : type.params) text += key_text(param);
  return text;
}

std::string nodes_page() {
  std::string page =
      "# Nodes and keys\n\nEvery key that a [graph](graph.md) may have, as `flowqat nodes "
      "--markdown` prints it. `comment` is\nallowed everywhere.\n\n## Top-level keys\n\n"
      "| key | value | default | what it is |\n|---|---|---|---|\n"
      "| `nodes` | an object of named nodes | needed | the graph |\n";
  for (const ParamSpec& key : graph::setting_specs()) page += param_row(key);
  for (const EdgeKind kind : kinds) {
    for (const bool has_inputs : {false, true}) {
      std::string section;
      for (const auto& [name, type] : graph::node_types()) {
        const bool is_source = kind == EdgeKind::utterances && type.inputs.empty();
        if (type.output == kind && is_source != has_inputs) section += type_section(type);
      }
      if (section.empty()) continue;
      page += std::string("\n## ") + section_of(kind, has_inputs) + "\n" + section;
    }
  }
  return page;
}

}  // namespace flowqat::cli
