/// Runs a graph: its steps one after another on the caller's thread, or, where there are none, its
/// streams alone.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/json_lines.h"
#include "graph/pipeline.h"
#include "graph/rejections.h"
#include "graph/reporter.h"
#include "graph/resume_point.h"
#include "graph/run_folder.h"
#include "graph/run_listener.h"
#include "graph/silences.h"
#include "graph/together.h"

namespace flowqat::graph {

struct RunOptions {
  Existing existing = Existing::refuse;
  Reporter* reporter = nullptr;                   ///< required
  const std::atomic<int>* stop_signal = nullptr;  ///< the signal that asked to stop, or 0; required
  /// Whether to resume although the corpora, or other files that the run is made from, or its lists
  /// are not what they were.
  bool accept_changes = false;
  RunListener* listener = nullptr;  ///< null: nobody listens
  Peers* peers = nullptr;           ///< the processes that share the run; null: one alone
  int cores = 0;                    ///< threads that this process is to use; 0: usable_cores()
};

/// A step's view of its run.
class StepContext {
 public:
  /// `streams`: those whose index was read before; each is used once. `inputs`:
  /// RunInputs::summary().
  StepContext(const Graph& graph, const RunOptions& options, Together& together, RunFolder& folder,
              ResumePoint resume_point, const Json& inputs,
              std::map<const Batcher*, KnownStream> streams);
  ~StepContext();

  /// The stream that ends in `batcher`; its index is read at the first call, if it was not before.
  Pipeline& audio(const Batcher& batcher);
  /// The processes of the run. What follows is called by all of them alike, but where it is told
  /// otherwise, and only rank 0 writes; its reporter alone need speak.
  Together& together() const { return together_; }
  /// Threads for this process where the graph does not say how many.
  int cores() const;
  const std::filesystem::path& folder() const { return folder_.path(); }
  uint64_t seed() const { return seed_; }
  Reporter& reporter() const { return *options_.reporter; }
  /// Where the step stands; what was rejected so far is added.
  void progress(Progress progress) const;
  /// The signal that asked the run to end, or 0: Together::stop_signal().
  int stop_signal() const { return together_.stop_signal(); }
  /// Throws Interrupted if a signal asked to stop; for steps with nothing to save.
  void throw_if_stopped() const;

  /// Appends a line to metrics.jsonl, with the step's name.
  void metric(const Json& line);
  /// Lists a row of `batch` in rejected.jsonl, of no use to the step for `reason`. It is neither
  /// counted as rejected nor against the run's limits.
  void useless(const Batch& batch, size_t row, int64_t epoch, const std::string& reason) {
    ledger_.add_useless(batch, row, step_, epoch, reason);
  }
  /// What becomes summary.json.
  Json& summary() { return *summary_; }
  /// A table for standard output. It comes there when the run is over and summary.json is written:
  /// an output that is full or that nobody reads costs nothing of the run.
  void result(std::string text) { results_.push_back(std::move(text)); }

  /// What an interrupted run left inside this step: the folder, and the step's own `state`.
  const std::optional<Saved>& resumed() const { return resumed_; }
  /// What the processes have drawn since the last time is brought together. Throws RunError where
  /// too much of it was rejected.
  void exchange();
  /// What was drawn so far, as it is counted and listed.
  Json drawn() const;
  /// Forgets all that was drawn since drawn() told `drawn`: whoever goes on from the next
  /// checkpoint draws it again. For one process alone.
  void put_back(const Json& drawn);
  /// Writes `checkpoints/step-N/`, N counting the optimizer steps of the whole run, of which `done`
  /// belong to this step; keeps the `keep` newest, and those that they need: `needs` are others of
  /// this step that the state cannot do without.
  void checkpoint(int64_t done, const Json& state, int keep,
                  const std::function<void(const std::filesystem::path&)>& write,
                  const std::vector<int64_t>& needs = {});
  /// Where that is, or was.
  std::filesystem::path checkpoint_folder(int64_t done) const;
  /// Writes a folder of the run, whole or not at all, as a part of what the step leaves.
  void write_output(const std::string& name,
                    const std::function<void(const std::filesystem::path&)>& fill);
  /// Begins a list in the run's folder, as a part of what the step leaves.
  JsonLines write_list(const std::string& name);
  /// To be told once when the step ends: its optimizer steps count in later names.
  void count_optimizer_steps(int64_t done) { optimizer_steps_ += done; }

  void run(Step& step);
  void drain(const Batcher& batcher);
  /// Writes what the run comes to; it is complete then.
  void finish();
  void tell_results();

 private:
  bool go_back_to(Step& step);
  void work_on(Step& step);
  void write_end();
  /// Of the run as it stands, for a folder to go on from. The lists are on the disk then.
  Json state() const;
  /// All but the lists, which are cut back once, when the run begins: not for every step that is
  /// over, because the first state would cut off what the next one counts on.
  void restore(const Json& state);

  const RunOptions& options_;
  Together& together_;
  RunFolder& folder_;
  ResumePoint resume_point_;
  std::unique_ptr<const Json> inputs_, lengths_;
  uint64_t seed_;
  PipelineOptions pipeline_options_;
  DataThreads threads_;
  Ledger ledger_;
  Rejections rejections_;
  Silences silences_;
  JsonLines metrics_;
  std::map<const Batcher*, KnownStream> known_;
  std::map<const Batcher*, std::unique_ptr<Pipeline>> pipelines_;
  std::unique_ptr<Json> summary_;
  std::vector<std::string> results_;
  std::string step_;
  std::vector<std::string> outputs_;      ///< that the step at hand has written
  std::vector<std::string> all_outputs_;  ///< that steps before it have
  std::optional<Saved> resumed_;
  int64_t optimizer_steps_ = 0;
};

/// Checks the graph (check.h), runs all of it and returns the summary; with peers only rank 0 has
/// one. The run's folder is not
/// touched before the check has found nothing wrong. Throws Interrupted, GraphError, RunError, or
/// what a step throws.
Json run_graph(const Graph& graph, const RunOptions& options);

}  // namespace flowqat::graph
