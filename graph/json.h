/// The JSON of graphs, runs and reports: objects keep their keys' order. A file that looks inside
/// includes nlohmann/json.hpp itself, which takes seconds to compile.
#pragma once
#include <nlohmann/json_fwd.hpp>

namespace flowqat::graph {

using Json = nlohmann::ordered_json;

}  // namespace flowqat::graph
