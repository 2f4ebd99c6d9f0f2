#include "graph/resume_point.h"

namespace flowqat::graph {

ResumePoint find_resume_point(const RunFolder& folder, const std::vector<std::string>& steps) {
  ResumePoint point;
  for (const std::string& step : steps) {
    if (const auto finished = folder.finished(step)) {
      point.finished.emplace(step, *finished);
      point.last_ = finished->state;
      continue;
    }
    point.checkpoint = folder.newest_checkpoint(step);
    if (point.checkpoint) point.last_ = point.checkpoint->state;
    break;
  }
  return point;
}

}  // namespace flowqat::graph
