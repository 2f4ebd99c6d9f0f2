#include "tests/nodes/support.h"

#include <nlohmann/json.hpp>

namespace flowqat::nodes::testing {

graph::Graph make_graph(const std::string& nodes, const std::string& out, int threads) {
  return graph::Graph(graph::resolve(
      {{"out", out}, {"threads", threads}, {"nodes", graph::Json::parse(nodes)}}, "test.json"));
}

}  // namespace flowqat::nodes::testing
