#pragma once
#include <deque>
#include <string>

#include "report/run_figures.h"

namespace flowqat::report {

/// Each quantizer with its range over time as a small picture, those that changed most first.
/// Empty where there is none.
std::string range_table(const std::deque<RangeFigures>& ranges);

}  // namespace flowqat::report
