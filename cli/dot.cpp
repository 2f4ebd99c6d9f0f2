/// A graph as a picture: text for Graphviz.
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/graph_arguments.h"
#include "cli/terminal.h"
#include "graph/registry.h"
#include "report/html.h"

namespace flowqat::cli {
namespace {

/// In double quotes, as DOT reads them.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Name and type, then each parameter that is not the default's.
std::string label(const graph::NodeSpec& node) {
  constexpr size_t longest = 40;
  std::string text =
      "<<b>" + report::escape_html(node.name) + "</b>  " + report::escape_html(node.type->name);
  for (const graph::ParamSpec& param : node.type->params) {
    const graph::Json& value = node.values.json(param.name);
    if (value == param.fallback.json()) continue;
    std::string shown = value.dump();
    if (shown.size() > longest) shown = shown.substr(0, longest) + "...";
    text += "<br align=\"left\"/><font point-size=\"10\">" +
            report::escape_html(param.name + " " + shown) + " " + report::escape_html(param.unit) +
            "</font>";
  }
  return text + "<br align=\"left\"/>>";
}

const char* style_of(graph::EdgeKind kind) {
  switch (kind) {
    case graph::EdgeKind::batches:
      return "penwidth=2, color=\"#1a7f37\"";  // the bounded queue
    case graph::EdgeKind::model:
      return "style=dashed, color=\"#8250df\"";
    default:
      return "color=\"#1a7f37\"";
  }
}

int dot(const GraphArguments& arguments) {
  const graph::GraphSpec spec = resolved_graph(arguments);
  std::ostringstream text;
  text << "digraph " << quoted(arguments.graph) << " {\n"
       << "  rankdir=LR;\n"
       << "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];\n";
  for (const graph::NodeSpec& node : spec.nodes) {
    const bool is_audio = node.type->output == graph::EdgeKind::utterances ||
                          node.type->output == graph::EdgeKind::batches;
    text << "  " << quoted(node.name) << " [label=" << label(node) << ", fillcolor=\""
         << (is_audio ? "#dafbe1" : "#fbefff") << "\"];\n";
  }
  for (const graph::NodeSpec& node : spec.nodes) {
    for (const graph::InputSpec& input : node.type->inputs) {
      const auto edges = node.edges.find(input.key);
      if (edges == node.edges.end()) continue;
      for (const std::string& from : edges->second) {
        text << "  " << quoted(from) << " -> " << quoted(node.name) << " [" << style_of(input.kind)
             << "];\n";
      }
    }
  }
  text << "}\n";
  Terminal().result(text.str());
  return kDone;
}

}  // namespace

Command dot_command() {
  const auto told = std::make_shared<GraphArguments>();
  return {.name = "dot",
          .doc = "draws a graph, as text for Graphviz",
          .examples = {"flowqat dot configs/full.json | dot -Tsvg -o graph.svg"},
          .arguments = {graph_argument(told->graph), set_option(told->overrides)},
          .run = [told] { return dot(*told); }};
}

}  // namespace flowqat::cli
