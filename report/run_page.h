#pragma once
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/run_listener.h"
#include "report/rejected_figures.h"
#include "report/run_figures.h"

namespace flowqat::report {

/// What a run has come to, to be shown.
struct RunView {
  std::string title;  ///< the run's folder
  graph::RunState state = graph::RunState::running;
  std::string why = {};      ///< of one that ended early
  std::string written = {};  ///< when the page was, "2026-05-01 12:00:00"
  const RunFigures& figures;
  const RejectedFigures& rejected;
  std::string worst = {};  ///< worst_utterances() with a heading of their own
  const graph::Json& graph;
  const graph::Json& summary;  ///< null until the run is over
};

/// A page that needs nothing but itself. While the run goes on, a browser looks for a newer one
/// every half minute.
std::string run_page(const RunView& view);

}  // namespace flowqat::report
