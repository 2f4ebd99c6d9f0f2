/// Where a run that was stopped goes on.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/run_folder.h"

namespace flowqat::graph {

struct ResumePoint {
  std::map<std::string, Saved> finished;  ///< the first steps of the run, by name
  std::optional<Saved> checkpoint;        ///< inside of the step behind them

  /// The last state before the point, on whose length the lists count; null: the run's beginning.
  std::shared_ptr<const Json> last_state() const { return last_; }

 private:
  friend ResumePoint find_resume_point(const RunFolder&, const std::vector<std::string>&);
  std::shared_ptr<const Json> last_;
};

/// `steps`: the names of all, in running order. For a fresh run the beginning.
ResumePoint find_resume_point(const RunFolder& folder, const std::vector<std::string>& steps);

}  // namespace flowqat::graph
