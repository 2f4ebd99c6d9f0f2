/// The graph file: JSON of named nodes, with overrides from the command line, validated as a whole
/// before anything is built.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/params.h"
#include "graph/registry.h"

namespace flowqat::graph {

struct NodeSpec {
  std::string name = {};
  const NodeType* type = nullptr;
  Params values = {};  ///< every declared parameter, defaults filled in
  std::map<std::string, std::vector<std::string>> edges = {};  ///< input key -> node names
  std::string comment = {};
};

/// A validated graph: each node before those that draw from it.
struct GraphSpec {
  std::string file = {};  ///< for messages
  Params settings = {};   ///< the top-level keys but `nodes`, defaults filled in
  std::vector<NodeSpec> nodes = {};

  /// The graph with every default written out: alone it reproduces the run.
  Json resolved() const;
};

/// The top-level keys: seed, threads, out, and so on.
const std::vector<ParamSpec>& setting_specs();

/// Top-level keys of graphs before, and the values with which they say nothing: how many processes
/// share the work is known where they are started, and no part of the graph.
inline constexpr std::pair<const char*, int> retired_settings[] = {{"rank", 0}, {"world_size", 1}};

/// Reads a file. Throws GraphError with the position of a syntax error or a repeated key.
Json read_graph(const std::filesystem::path& file);

/// Applies `NODE.KEY=VALUE` or `KEY=VALUE`; a value is JSON, or else taken as a text.
void override_value(Json& graph, const std::string& assignment);

/// Validates. Throws one GraphError for the first of: a wrong type, an unknown key, a value out of
/// range, an edge to nowhere or between the wrong kinds, a cycle, a node that nothing uses.
GraphSpec resolve(const Json& graph, const std::string& file);

}  // namespace flowqat::graph
