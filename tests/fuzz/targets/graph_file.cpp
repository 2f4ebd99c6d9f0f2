/// A graph file and, behind "=====", overrides, a line each.
#include "graph/graph_file.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/fuzz/support.h"
#include "tests/graph/test_nodes.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  graph::testing::probe();  // its node types are linked
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size));
  const auto file = fuzz::file_of(parts[0]);
  fuzz::refuses_or([&] {
    graph::Json graph = graph::read_graph(file);
    if (parts.size() > 1) {
      std::istringstream lines{std::string(parts[1])};
      for (std::string line; std::getline(lines, line);) graph::override_value(graph, line);
    }
    const graph::GraphSpec spec = graph::resolve(graph, "graph.json");
    const graph::Json resolved = spec.resolved();
    fuzz::require(graph::resolve(resolved, "graph.json").resolved() == resolved,
                  "a resolved graph that resolves to itself");
  });
  return 0;
}
