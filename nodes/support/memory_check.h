#pragma once
#include "graph/check.h"
#include "nodes/support/model_step.h"

namespace flowqat::nodes {

/// A training step over the stream's longest utterance has room in this machine. Told before the
/// run, because otherwise it is told when the utterance comes up, hours later. Throws RunError that
/// names it. Utterances of more than `most_s` seconds (0: none) are not trained on.
void check_memory(const graph::CheckContext& context, const graph::Batcher& audio,
                  const ModelStep& model, const graph::Step& step, double most_s);

}  // namespace flowqat::nodes
