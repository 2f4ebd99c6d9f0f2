/// A training under way, and those who attend it: what is logged, evaluated and saved while it runs
/// is a file each, beside the loop (loop.h), which knows none of them.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/run.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_step.h"
#include "nodes/training/params.h"
#include "nodes/training/progress.h"

namespace flowqat::nodes {

class Attendant;

/// A batch that was drawn, and the rows of it that the model heard.
struct Heard {
  const graph::Batch& batch;
  const ModelBatch& prepared;
  const std::vector<const graph::Row*>& long_ones;  ///< left out for their length
  bool in_halves = false;                           ///< for lack of memory on the device
};

/// What the loop and its attendants share.
struct Training {
  std::string name;  ///< the node's
  graph::StepContext& context;
  const TrainParams& params;
  ModelState& state;  ///< what is trained
  model::Trainer& trainer;
  int64_t steps = 0, epochs = 0;  ///< in the whole training, as planned, the last may be a part
  Progress progress = {};
  Counted counted = {};  ///< by this process, and not a part of the progress yet
  /// Whether batches of a round have been drawn whose update is still to come.
  bool is_within_round = false;
  bool is_over = false;           ///< an attendant sets it to end the training behind this step
  bool wants_checkpoint = false;  ///< an attendant sets it to have one made of this step
  std::optional<double> dev_wer = {};  ///< of the last evaluation of the model as it trains
  std::vector<std::unique_ptr<Attendant>> attendants = {};  ///< called in this order
  std::chrono::steady_clock::time_point counted_until = {};

  /// Brings progress.wall_s to this moment: all time counts from the first call on, with waiting
  /// for the device, evaluations and checkpoints.
  void count_time();
  /// All processes come here: what each has counted becomes a part of the progress, and signals are
  /// known to all.
  void meet();
  /// For a checkpoint: the progress, and what the attendants keep.
  graph::Json saved() const;
  /// All that the attendants need.
  std::vector<int64_t> needs() const;
  /// Brings back what saved() gave; the attendants are there.
  void restore(const graph::Json& saved);
};

/// Looks on while a model is trained, and does something between its steps, of which each is a
/// round of batches and its update. All calls come from the training's thread.
class Attendant {
 public:
  virtual ~Attendant() = default;

  /// Before the first step of this process, behind restore().
  virtual void begin(Training&) {}
  /// Before the first batch of a round, and where one goes on in a resumed run.
  virtual void before_step(Training&) {}
  /// Behind every batch of a round; it was not trained on where it has no rows.
  virtual void after_batch(Training&, const Heard&) {}
  /// Behind every update; what it throws ends the run.
  virtual void after_step(Training&) {}
  virtual void after_epoch(Training&) {}
  /// Behind the last step, before the model is given on.
  virtual void end(Training&) {}

  /// Before all of it is saved: the last moment to look at what state() does not keep.
  virtual void before_save(Training&) {}
  /// Where state() stands in a checkpoint; empty: it keeps nothing.
  virtual std::string key() const { return ""; }
  /// All that a resumed run needs to go on as if it had never stopped.
  virtual graph::Json state() const;
  virtual void restore(const graph::Json&) {}
  /// The steps whose checkpoints state() cannot do without.
  virtual std::vector<int64_t> needs() const { return {}; }
};

}  // namespace flowqat::nodes
