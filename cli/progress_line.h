/// Progress as a line of text.
#pragma once
#include <string>

#include "graph/reporter.h"

namespace flowqat::cli {

/// All of it: "adapt: 120 of 2,000 steps, 6 %, epoch 1 of 2, loss 3.210, 2 min 5 s left".
std::string progress_text(const graph::Progress& progress);

/// What of it fits into `columns`, and never more than those: what is done, how much of it, the
/// time left, a bar, and as many of the details as there is room for, the most important first.
std::string progress_line(const graph::Progress& progress, int columns);

}  // namespace flowqat::cli
