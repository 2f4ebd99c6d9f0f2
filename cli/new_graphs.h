#pragma once
#include <string>
#include <vector>

namespace flowqat::cli {

/// A graph to start from, as JSON with comments, whose paths are there to be replaced.
struct NewGraph {
  const char* name;
  const char* doc;
  const char* text;
};

const std::vector<NewGraph>& new_graphs();

}  // namespace flowqat::cli
