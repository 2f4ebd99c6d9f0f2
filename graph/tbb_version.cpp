#include "graph/tbb_version.h"

#include <tbb/version.h>

namespace flowqat::graph {

std::string tbb_version() { return TBB_runtime_version(); }

}  // namespace flowqat::graph
