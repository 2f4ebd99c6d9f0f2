/// Where a run that was stopped goes on.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/run_folder.h"
#include "graph/run_inputs.h"

namespace flowqat::graph {

struct ResumePoint {
  std::map<std::string, Saved> finished;  ///< the first steps of the run, by name
  std::optional<Saved> checkpoint;        ///< inside of the step behind them
  /// The last state before the point, on whose lists the run goes on; null: the run's beginning.
  std::shared_ptr<const Json> last_state;
};

/// For another process.
Json as_json(const ResumePoint& point);
ResumePoint resume_point_of(const Json& json);

/// Finds the latest state of which every file is what was written. For a fresh run the beginning.
class ResumeSearch {
 public:
  /// `steps`: the names of all, in running order. `lengths`: how far each is to go; one that has
  /// gone another way, or less far, is not over. Changes nothing.
  ResumeSearch(const RunFolder& folder, std::vector<std::string> steps, const Json& lengths);
  ~ResumeSearch();

  /// Throws RunError where the run's lists or `inputs` are not what the state was made with, unless
  /// `accepts`: then that is said.
  void check(const RunInputs& inputs, bool accepts) const;
  /// Puts the states that are damaged, and those behind the point, where they are in nobody's way;
  /// says so.
  ResumePoint take() const;

 private:
  void find();
  std::optional<Saved> read(const std::filesystem::path& path);
  std::optional<Saved> newest_checkpoint(const std::string& step, int64_t done);

  bool has_its_length(const std::string& step, const Json& state) const;

  const RunFolder& folder_;
  std::vector<std::string> steps_;
  std::unique_ptr<const Json> lengths_;
  std::string grown_;  ///< the step that is to go on although it was over
  ResumePoint point_;
  std::vector<std::pair<std::filesystem::path, std::string>> damaged_;
};

}  // namespace flowqat::graph
