#pragma once
#include <string>

namespace flowqat::graph {

/// The version of the oneTBB that the program runs with: "2021.8".
std::string tbb_version();

}  // namespace flowqat::graph
