#include "graph/rejection_budget.h"

#include "graph/error.h"

namespace flowqat::graph {

void check_rejected(int64_t rejected, int64_t utterances, const PipelineOptions& options,
                    const std::string& source, const std::string& last) {
  const bool count = options.max_rejected >= 0 && rejected > options.max_rejected;
  const bool share =
      static_cast<double>(rejected) > options.max_rejected_share * static_cast<double>(utterances);
  if (!count && !share) return;
  throw RunError(std::to_string(rejected) + " of " + std::to_string(utterances) +
                 " utterances of node \"" + source + "\" were rejected, more than " +
                 (count ? "max_rejected" : "max_rejected_share") +
                 " allows; the last one: " + last);
}

}  // namespace flowqat::graph
