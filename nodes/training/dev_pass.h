#pragma once
#include <string>

#include "graph/run.h"
#include "io/text/text_normalizer.h"
#include "io/text/tokenizer.h"
#include "model/model.h"
#include "nodes/training/dev_figures.h"

namespace flowqat::nodes {

/// A dev stream as a training hears it again and again: the same batches each time, drawn under a
/// name of their own, so that the training's stream is not disturbed.
class DevPass {
 public:
  /// All outlive the pass. `node`: the training's.
  DevPass(graph::StepContext& context, const graph::Batcher& dev, const std::string& node,
          const io::Tokenizer& tokenizer, const io::TextRules& rules)
      : context_(context), dev_(dev), node_(node), tokenizer_(tokenizer), rules_(rules) {}

  /// Adds the stream's batches from number `batch` on to `figures` and counts `batch` up; returns
  /// early, between two batches, when a signal asks to stop. `label`: which model, for progress.
  /// True: the stream is at its end. Throws RunError where there is nothing to compare with then.
  bool run(const model::AcousticModel& model, const std::string& label, int64_t& batch,
           DevFigures& figures);

 private:
  void add(const graph::Batch& batch, const model::AcousticModel& model, DevFigures& figures) const;

  graph::StepContext& context_;
  const graph::Batcher& dev_;
  std::string node_;
  const io::Tokenizer& tokenizer_;
  io::TextRules rules_;
};

}  // namespace flowqat::nodes
