/// The lines of metrics.jsonl, and what of them is to be drawn.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "graph/json.h"
#include "report/event_record.h"

namespace flowqat::report {

/// Calls with every line of a file that is a JSON object, in order. Others are passed over, and a
/// file that is not there has none.
void for_each_line(const std::filesystem::path& path,
                   const std::function<void(const graph::Json&)>& call);

/// Counts optimizer steps over all of a run's train nodes, from its lines in their order. A line
/// without a step stands where the last one stood.
class RunSteps {
 public:
  int64_t step_of(const graph::Json& line);

 private:
  std::string node_;
  int64_t before_ = 0;  ///< the steps of the nodes before this one
  int64_t last_ = 0;
};

/// Every number of a line under NODE/KEY, or NODE/MODEL/KEY where the line is of one model: objects
/// in it lead to longer names, and two numbers in brackets are KEY/lower and KEY/upper. What is no
/// finite number is left out, and so is the step.
std::vector<Scalar> scalars_of(const graph::Json& line);

}  // namespace flowqat::report
