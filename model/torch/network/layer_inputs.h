#pragma once
#include <string>

namespace flowqat::model {

/// Layers of a network for which this is the same hear the same input: the queries, keys and values
/// of an encoder layer. `layer` is its name.
std::string input_of(const std::string& layer);

}  // namespace flowqat::model
