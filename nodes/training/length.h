#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Of a training that goes on from `saved`, which Training::saved() gave: throws GraphError where
/// it has gone further than it now is to go. Where it is to go further than before, tells what of
/// the steps behind it would have been another in a training of the new length: rates of a schedule
/// that spans all of it, and phases that begin at a share of it.
void check_length(Training& training, const graph::Json& saved);

}  // namespace flowqat::nodes
