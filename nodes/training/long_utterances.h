#pragma once
#include <vector>

#include "nodes/support/model_batch.h"

namespace flowqat::nodes {

/// Takes the utterances of more than `most_s` seconds, as the corpus has them, out of a batch,
/// which then is no longer than the longest of the others. Returns their rows. 0: none is too long.
std::vector<const graph::Row*> leave_out_long(ModelBatch& batch, double most_s);

}  // namespace flowqat::nodes
