#pragma once
#include <string>

#include "graph/json.h"
#include "report/run_figures.h"

namespace flowqat::report {

/// The models that each evaluate node compared, with their differences as summary.json tells them.
/// `summary` may be null, or lack what only the run's end tells. Empty where there is none.
std::string model_tables(const RunFigures& figures, const graph::Json& summary);

}  // namespace flowqat::report
