#pragma once
#include <string>
#include <vector>

#include "graph/params.h"
#include "model/config.h"

namespace flowqat::nodes {

/// The parameters of the model node.
std::vector<graph::ParamSpec> model_param_specs();

/// The key that says where the weights come from: "path", "run" or "config". Throws GraphError
/// unless exactly one is given.
std::string one_source(const graph::Params& params);

/// The folder of the model that the keys "run" and "result" mean. Throws GraphError where there is
/// none, naming those that are.
std::string model_of_run(const graph::Params& params);

/// The configuration with the dropouts that the graph gives in the place of config.json's: a saved
/// model then has them too.
model::Config with_dropouts(const model::Config& config, const graph::Params& params);

}  // namespace flowqat::nodes
