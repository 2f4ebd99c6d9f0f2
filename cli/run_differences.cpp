#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/run_list.h"

namespace flowqat::cli {
namespace {

using graph::Json;

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The values of a graph by their places; those of a node as NODE.KEY.
std::map<std::string, std::string> values_of(const Json& graph) {
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : graph.items()) {
    if (key == "out" || key == "comment" || key == "nodes") continue;
    values[key] = text_of(value);
  }
  for (const auto& [name, node] : graph.at("nodes").items()) {
    if (!node.is_object()) continue;
    for (const auto& [key, value] : node.items()) {
      if (key != "comment") values[name + "." + key] = text_of(value);
    }
  }
  return values;
}

/// How many of the runs hold something.
using Count = std::map<std::string, int64_t>;

bool is_of_most(int64_t count, int64_t all) { return 2 * count > all; }

}  // namespace

void find_differences(std::vector<ListedRun>& runs) {
  int64_t graphs = 0;
  Count nodes;                          // name -> runs with it
  std::map<std::string, Count> values;  // place -> value -> runs with it
  Count places;
  for (const ListedRun& run : runs) {
    if (!run.graph) continue;
    ++graphs;
    for (const auto& item : run.graph->at("nodes").items()) ++nodes[item.key()];
    for (const auto& [place, value] : values_of(*run.graph)) {
      ++values[place][value];
      ++places[place];
    }
  }
  for (ListedRun& run : runs) {
    if (!run.graph) continue;
    const Json& own = run.graph->at("nodes");
    for (const auto& [name, count] : nodes) {
      if (own.contains(name) == is_of_most(count, graphs)) continue;
      run.differs.emplace_back(
          name, own.contains(name) ? text_of(own.at(name).value("type", "")) : "null");
    }
    for (const auto& [place, value] : values_of(*run.graph)) {
      const std::string node = place.substr(0, place.find('.'));
      const bool is_own = nodes.contains(node) && place != node && !is_of_most(nodes[node], graphs);
      // Of a node that few have, its name tells enough.
      if (is_own || is_of_most(values[place][value], places[place])) continue;
      run.differs.emplace_back(place, value);
    }
  }
}

}  // namespace flowqat::cli
