/// What steps ask of the streams and models that they are given, before the first of them runs.
/// Each throws GraphError, naming node and key; what is not known yet is asked again by then.
#pragma once
#include <initializer_list>
#include <string>

#include "graph/check.h"
#include "nodes/support/model_step.h"

namespace flowqat::nodes {

/// The stream comes at the rate that the model hears; else says where to put a resample node.
void check_rate(const graph::CheckContext& context, const graph::Batcher& audio,
                const ModelStep& model);

/// The stream has transcripts, which `step` needs to `purpose` ("learn from"), and of one at least
/// something is left for `model`'s vocabulary; else says where they were looked for.
void check_transcripts(const graph::CheckContext& context, const graph::Batcher& audio,
                       const graph::Step& step, const ModelStep& model, const std::string& purpose);

/// Training can teach `model` the stream's transcripts: its head has the tokens of its vocabulary,
/// with the same blank, and every token of every transcript. Throws GraphError for the first that
/// is not so; adds a line to `context` where the head has no place for the unknown token, which no
/// transcript needs.
void check_tokens(graph::CheckContext& context, const graph::Batcher& audio,
                  const graph::Step& step, const ModelStep& model);

/// The processes that share the run can share the `batches_per_step` of each step of training: as
/// many for each.
void check_processes(const graph::Step& step, int64_t batches_per_step, int processes);

/// The model that `from` gives is in one of `fitting`; else the message ends with `advice`.
void check_stage(const graph::Step& step, const ModelStep& from,
                 std::initializer_list<Stage> fitting, const std::string& advice);

}  // namespace flowqat::nodes
