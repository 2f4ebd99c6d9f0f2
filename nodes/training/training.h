/// A training under way, and those who attend it: what is logged, evaluated and saved while it runs
/// is a file each, beside the loop (loop.h), which knows none of them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/run.h"
#include "nodes/support/model_step.h"
#include "nodes/training/params.h"
#include "nodes/training/progress.h"

namespace flowqat::nodes {

class Attendant;

/// What the loop and its attendants share.
struct Training {
  std::string name;  ///< the node's
  graph::StepContext& context;
  const TrainParams& params;
  ModelState& state;  ///< what is trained
  model::Trainer& trainer;
  int64_t steps = 0;  ///< in the whole training, as planned
  Progress progress = {};
  bool is_over = false;  ///< an attendant sets it to end the training behind this step
  std::vector<std::unique_ptr<Attendant>> attendants = {};  ///< called in this order

  /// For a checkpoint: the progress, and what the attendants keep.
  graph::Json saved() const;
  /// Brings back what saved() gave; the attendants are there.
  void restore(const graph::Json& saved);
};

/// Looks on while a model is trained, and does something between its steps. All calls come from the
/// training's thread.
class Attendant {
 public:
  virtual ~Attendant() = default;

  /// Before the first step of this process, behind restore().
  virtual void begin(Training&) {}
  virtual void before_step(Training&) {}
  /// Behind every step; what it throws ends the run.
  virtual void after_step(Training&) {}
  virtual void after_epoch(Training&) {}
  /// Behind the last step, before the model is given on.
  virtual void end(Training&) {}

  /// Where state() stands in a checkpoint; empty: it keeps nothing.
  virtual std::string key() const { return ""; }
  /// All that a resumed run needs to go on as if it had never stopped.
  virtual graph::Json state() const;
  virtual void restore(const graph::Json&) {}
};

}  // namespace flowqat::nodes
