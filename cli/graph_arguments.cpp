#include "cli/graph_arguments.h"

#include <nlohmann/json.hpp>

namespace flowqat::cli {

graph::GraphSpec resolved_graph(const GraphArguments& arguments) {
  graph::Json file = graph::read_graph(arguments.graph);
  for (const std::string& assignment : arguments.overrides) graph::override_value(file, assignment);
  return graph::resolve(file, arguments.graph);
}

}  // namespace flowqat::cli
