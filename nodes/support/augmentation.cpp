#include "nodes/support/augmentation.h"

#include <nlohmann/json.hpp>

#include "graph/error.h"

namespace flowqat::nodes {

Range::Range(const graph::Params& params, const std::string& key) {
  const std::vector<double> ends = params.numbers(key);
  if (ends.size() != 2 || ends[0] > ends[1]) {
    throw graph::GraphError("key \"" + key + "\": must be two numbers, the smaller first, found " +
                            params.json(key).dump());
  }
  low = ends[0], high = ends[1];
}

}  // namespace flowqat::nodes
