#pragma once
#include <string>
#include <vector>

#include "graph/message.h"

namespace flowqat::nodes {

std::vector<std::string> ids_of(const std::vector<const graph::Row*>& rows);

/// "a, b, c, d, e and 3 more"
std::string named_utterances(const std::vector<std::string>& ids);

}  // namespace flowqat::nodes
