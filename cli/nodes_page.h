/// What node types and a graph's top-level keys can be told, from what they declare.
#pragma once
#include <string>

#include "graph/registry.h"

namespace flowqat::cli {

/// All types and keys, a line each.
std::string nodes_text();
/// One type, with its edges and parameters.
std::string node_text(const graph::NodeType& type);
/// One top-level key.
std::string key_text(const graph::ParamSpec& key);

/// A page with all of it, in Markdown.
std::string nodes_page();

}  // namespace flowqat::cli
