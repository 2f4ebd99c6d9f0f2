/// The keys of a graph file beside its nodes.
#include "graph/graph_file.h"

namespace flowqat::graph {

const std::vector<ParamSpec>& setting_specs() {
  static const std::vector<ParamSpec> specs{
      {.name = "seed",
       .kind = ParamKind::integer,
       .fallback = 1,
       .minimum = 0,
       .doc = "root of every random draw"},
      {.name = "threads",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .maximum = 1024,
       .doc = "data threads; 0: one for each core that the process may use",
       .may_change = true},
      {.name = "out",
       .kind = ParamKind::path,
       .fallback = "runs/out",
       .doc = "folder that the run is written to",
       .may_change = true},
      {.name = "audio_in_flight_s",
       .kind = ParamKind::number,
       .fallback = 0,
       .unit = "s",
       .minimum = 0,
       .doc = "padded audio between the plan and the release of its batch; 0: enough for the queue",
       .may_change = true},
      {.name = "max_rejected_share",
       .kind = ParamKind::number,
       .fallback = 0.5,
       .minimum = 0,
       .maximum = 1,
       .doc = "the run fails when more than this share of an epoch's utterances was rejected",
       .may_change = true},
      {.name = "max_rejected",
       .kind = ParamKind::integer,
       .fallback = -1,
       .minimum = -1,
       .doc = "the same as a number of utterances; -1: only the share counts",
       .may_change = true},
      {.name = "timeout_s",
       .kind = ParamKind::number,
       .fallback = 40,
       .unit = "s",
       .minimum = 1,
       .maximum = 86400,
       .doc =
           "of several processes that share the run: how long one waits for the others before it "
           "takes them for lost and ends",
       .may_change = true},
  };
  return specs;
}

}  // namespace flowqat::graph
