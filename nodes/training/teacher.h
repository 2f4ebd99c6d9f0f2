#pragma once
#include "nodes/support/model_step.h"
#include "nodes/training/params.h"

namespace flowqat::nodes {

/// What can be told of a teacher (or null) before anything is run. Throws GraphError that names the
/// key.
void check_teacher(const ModelStep& student, const ModelStep* teacher,
                   const model::TrainOptions& options);

}  // namespace flowqat::nodes
