#include "graph/same_graph.h"

#include <nlohmann/json.hpp>

#include "graph/checksum.h"
#include "graph/graph_file.h"
#include "graph/registry.h"

namespace flowqat::graph {
namespace {

using Sorted = nlohmann::json;  // the order of keys says nothing

void drop(Sorted& object, const std::vector<ParamSpec>& specs) {
  object.erase("comment");
  for (const ParamSpec& spec : specs) {
    const auto found = object.find(spec.name);
    if (found == object.end()) continue;
    // A graph that was written before there was the key is the same as one with its default.
    if (spec.may_change || spec.may_grow || *found == Sorted(spec.fallback.json()))
      object.erase(found);
  }
}

Sorted decisive(const Json& graph) {
  Sorted sorted = graph;
  if (!sorted.is_object()) return sorted;
  drop(sorted, setting_specs());
  for (const auto& [key, harmless] : retired_settings) {
    if (sorted.contains(key) && sorted[key] == Sorted(harmless)) sorted.erase(key);
  }
  if (!sorted.contains("nodes") || !sorted["nodes"].is_object()) return sorted;
  for (auto& [name, node] : sorted["nodes"].items()) {
    if (!node.is_object()) continue;
    const auto type = node_types().find(node.value("type", ""));
    if (type != node_types().end()) drop(node, type->second.params);
  }
  return sorted;
}

std::string shown(const Sorted& graph, const Sorted::json_pointer& place) {
  if (!graph.contains(place)) return "nothing";
  const std::string text = graph.at(place).dump(-1, ' ', false, Sorted::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

}  // namespace

std::string difference(const Json& before, const Json& now) {
  const Sorted old_graph = decisive(before), new_graph = decisive(now);
  if (old_graph == new_graph) return "";
  constexpr size_t most = 5;
  std::string text;
  const Sorted changes = Sorted::diff(old_graph, new_graph);
  for (size_t i = 0; i < changes.size() && i < most; ++i) {
    const std::string path = changes[i].at("path").get<std::string>();
    const Sorted::json_pointer place(path);
    text += (i > 0 ? "; " : "") + path + " (" + shown(before, place) + " before, " +
            shown(now, place) + " now)";
  }
  if (changes.size() > most) text += "; " + std::to_string(changes.size() - most) + " more";
  return text;
}

Json lengths_of(const Json& resolved_graph) {
  Json lengths = Json::object();
  if (!resolved_graph.contains("nodes")) return lengths;
  for (const auto& [name, node] : resolved_graph.at("nodes").items()) {
    const auto type = node_types().find(node.value("type", ""));
    if (type == node_types().end()) continue;
    for (const ParamSpec& spec : type->second.params) {
      if (spec.may_grow) lengths[name][spec.name] = node.value(spec.name, spec.fallback.json());
    }
  }
  return lengths;
}

std::string graph_checksum(const Json& resolved_graph) {
  Checksum checksum;
  checksum.add(decisive(resolved_graph).dump(-1, ' ', false, Sorted::error_handler_t::replace));
  return checksum.hex();
}

}  // namespace flowqat::graph
