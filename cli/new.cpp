/// `flowqat new`: a graph to start from.
#include <memory>

#include "cli/commands.h"
#include "cli/new_graphs.h"
#include "cli/terminal.h"

namespace flowqat::cli {
namespace {

int print_new(const std::string& kind) {
  for (const NewGraph& graph : new_graphs()) {
    if (kind == graph.name) Terminal().result(graph.text);
  }
  return kDone;
}

}  // namespace

Command new_command() {
  const auto kind = std::make_shared<std::string>("fine-tune");
  std::vector<std::string> kinds;
  std::string docs;
  for (const NewGraph& graph : new_graphs()) {
    kinds.push_back(graph.name);
    docs += std::string(docs.empty() ? "" : "; ") + graph.name + ": " + graph.doc;
  }
  return {.name = "new",
          .doc = "prints a graph with comments, to start from",
          .examples = {"flowqat new >graph.json", "flowqat new quantize >graph.json"},
          .arguments = {{.name = "KIND", .doc = docs, .target = kind.get(), .choices = kinds}},
          .run = [kind] { return print_new(*kind); }};
}

}  // namespace flowqat::cli
