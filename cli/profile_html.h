#pragma once
#include <string>
#include <vector>

#include "graph/isolate.h"
#include "graph/profile.h"

namespace flowqat::cli {

/// A page that needs nothing but itself: the table of nodes, where the threads' time went, and what
/// waited and worked over time. `title` names graph and stream; `isolated` may be empty.
std::string profile_page(const graph::Profile& profile,
                         const std::vector<graph::IsolatedNode>& isolated,
                         const std::string& title);

}  // namespace flowqat::cli
