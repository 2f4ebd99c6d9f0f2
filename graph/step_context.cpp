/// A step's view of its run: what it draws, tells and leaves.
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/divided_stream.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/output_error.h"
#include "graph/plain_numbers.h"
#include "graph/run.h"
#include "graph/same_graph.h"
#include "graph/time_left.h"
#include "graph/usable_cores.h"

namespace flowqat::graph {
namespace {

/// A table of what each node of a stream did.
std::string node_table(const Pipeline& pipeline, double wall_s, int threads) {
  std::string text =
      format("%-16s %12s %10s %14s %8s\n", "node", "utterances", "rejected", "x real time", "busy");
  for (const NodeStatistics& node : pipeline.statistics()) {
    const NodeCounter::Counts& counts = node.counts;
    text += format("%-16s %12lld %10lld %14.0f %8s\n", node.node.c_str(),
                   static_cast<long long>(counts.done), static_cast<long long>(counts.rejected),
                   counts.busy_s > 0 ? counts.audio_s / counts.busy_s : 0.0,
                   percent_text(counts.busy_s / (wall_s * threads)).c_str());
  }
  return text +
         format("x real time: of one thread. busy: of the time of all %d data threads.\n", threads);
}

int data_threads(const Params& settings, const RunOptions& options) {
  const auto asked = static_cast<int>(settings.integer("threads"));
  return asked > 0 ? asked : options.cores;
}

/// Null at the run's beginning.
Json part_of(const std::shared_ptr<const Json>& state, const char* part) {
  return state ? state->at(part) : Json();
}

}  // namespace

StepContext::StepContext(const Graph& graph, const RunOptions& options, Together& together,
                         RunFolder& folder, ResumePoint resume_point, const Json& inputs,
                         std::map<const Batcher*, KnownStream> streams)
    : options_(options),
      together_(together),
      folder_(folder),
      resume_point_(std::move(resume_point)),
      inputs_(std::make_unique<const Json>(inputs)),
      lengths_(std::make_unique<const Json>(lengths_of(graph.spec().resolved()))),
      seed_(static_cast<uint64_t>(graph.settings().integer("seed"))),
      pipeline_options_(pipeline_options(graph.settings())),
      threads_(data_threads(graph.settings(), options)),
      ledger_(!together.is_first()
                  ? Ledger()
                  : Ledger(folder.path() / kRejectedFile,
                           part_of(resume_point_.last_state, "ledger"), options.accept_changes)),
      rejections_([this](const std::string& line) { reporter().say(line); }),
      silences_([this](const std::string& line) { reporter().say(line); }),
      metrics_(!together.is_first() ? JsonLines()
                                    : JsonLines(folder.path() / kMetricsFile,
                                                part_of(resume_point_.last_state, "metrics"),
                                                options.accept_changes)),
      known_(std::move(streams)),
      summary_(std::make_unique<Json>(Json::object())) {
  ledger_.on_rejected([this](const Row& row) { rejections_.add(row); });
  ledger_.on_silent([this](const Row& row) { silences_.add(row); });
  if (!together.is_alone()) ledger_.share();
}

StepContext::~StepContext() = default;

void StepContext::progress(Progress progress) const {
  if (rejections_.count() > 0) {
    progress.more.insert(progress.more.begin(), whole_text(rejections_.count()) + " rejected");
  }
  reporter().progress(progress);
}

Pipeline& StepContext::audio(const Batcher& batcher) {
  std::unique_ptr<Pipeline>& pipeline = pipelines_[&batcher];
  if (!pipeline) {
    const IndexProgress reading = index_progress(batcher, reporter(), together_.stop_signal());
    auto known = known_.extract(&batcher);
    pipeline = std::make_unique<Pipeline>(
        known ? std::move(known.mapped())
              : read_stream(batcher, pipeline_options_, {threads_.count(), reading}),
        pipeline_options_, threads_, ledger_);
    const Selection& selection = pipeline->selection();
    std::string line = batcher.name() + ": " + counted(std::ssize(pipeline->index()), "utterance") +
                       ", " + duration_text(selection.presented_s) + " of audio an epoch";
    if (selection.left_out > 0) {
      line += "; " + whole_text(static_cast<int64_t>(selection.left_out)) +
              " left out by duration or weight";
    }
    const double hours = pipeline->chain().source->hours();
    if (hours > 0 && selection.presented_s == selection.corpus_s) {
      line +=
          "; less than the " + duration_text(3600 * hours) + " asked for: the corpus holds no more";
    }
    reporter().say(line);
  }
  return *pipeline;
}

void StepContext::throw_if_stopped() const {
  if (stop_signal() != 0) throw Interrupted(stop_signal());
}

int StepContext::cores() const { return options_.cores > 0 ? options_.cores : usable_cores(); }

void StepContext::metric(const Json& line) {
  if (!together_.is_first()) return;
  Json named{{"node", step_}};
  named.update(line);
  metrics_.add(named);
  if (options_.listener != nullptr) options_.listener->metric(rounded(named));
}

Json StepContext::state() const {
  metrics_.sync();
  ledger_.sync();
  return {{"step", step_},
          {"optimizer_steps", optimizer_steps_},
          {"metrics", metrics_.state()},
          {"ledger", ledger_.state()},
          {"rejections", rejections_.state()},
          {"inputs", *inputs_},
          {"lengths", *lengths_},
          {"summary", *summary_},
          {"results", results_}};
}

void StepContext::restore(const Json& state) {
  optimizer_steps_ = state.at("optimizer_steps").get<int64_t>();
  ledger_.restore(state.at("ledger"));
  rejections_.restore(state.at("rejections"));
  *summary_ = state.at("summary");
  results_ = state.value("results", std::vector<std::string>());
}

void StepContext::checkpoint(int64_t done, const Json& state, int keep,
                             const std::function<void(const std::filesystem::path&)>& write,
                             const std::vector<int64_t>& needs) {
  exchange();
  together_.first([&] {
    Json whole = this->state();
    whole["state"] = state;
    for (const int64_t needed : needs) whole["needs"].push_back(optimizer_steps_ + needed);
    folder_.write(folder_.checkpoint_path(optimizer_steps_ + done), whole, {}, write);
    folder_.prune_checkpoints(keep);
  });
}

void StepContext::exchange() {
  if (together_.is_alone()) return;
  ledger_.enter(together_.gather(ledger_.entries()));
  ledger_.check_budgets(pipeline_options_);
}

std::filesystem::path StepContext::checkpoint_folder(int64_t done) const {
  return folder_.checkpoint_path(optimizer_steps_ + done);
}

void StepContext::run(Step& step) {
  step_ = step.name();
  resumed_.reset();
  all_outputs_.insert(all_outputs_.end(), outputs_.begin(), outputs_.end());
  outputs_.clear();
  together_.agree();
  if (go_back_to(step)) return;
  throw_if_stopped();
  work_on(step);
  exchange();
  together_.first([&] {
    Json whole = state();
    whole["outputs"] = outputs_;
    folder_.write(folder_.finished_path(step_), whole, outputs_,
                  [&](const std::filesystem::path& folder) { step.save(folder); });
  });
  if (together_.is_alone() || step.workers() != Workers::first) return;
  together_.each([&] {
    if (!together_.is_first()) step.restore(folder_.finished_path(step_), *this);
  });
}

/// Whether it was over before the run was resumed.
bool StepContext::go_back_to(Step& step) {
  if (const auto over = resume_point_.finished.find(step_); over != resume_point_.finished.end()) {
    restore(*over->second.state);
    outputs_ = over->second.state->at("outputs").get<std::vector<std::string>>();
    together_.each([&] { step.restore(over->second.folder, *this); });
    return true;
  }
  if (const auto& inside = resume_point_.checkpoint; inside && inside->state->at("step") == step_) {
    restore(*inside->state);
    resumed_ = Saved{inside->folder, std::make_shared<const Json>(inside->state->at("state"))};
    reporter().say(step_ + ": going on from " + inside->folder.string());
  }
  return false;
}

void StepContext::work_on(Step& step) {
  switch (step.workers()) {
    case Workers::first:
      return together_.first([&] { step.run(*this); });
    case Workers::each:
      return together_.each([&] { step.run(*this); });
    case Workers::all:
      return step.run(*this);
  }
}

void StepContext::write_output(const std::string& name,
                               const std::function<void(const std::filesystem::path&)>& fill) {
  write_folder(folder_.path() / name, fill);
  outputs_.push_back(name);
}

JsonLines StepContext::write_list(const std::string& name) {
  if (!together_.is_first()) return {};
  outputs_.push_back(name);
  return JsonLines(folder_.path() / name);
}

void StepContext::drain(const Batcher& batcher) {
  Pipeline& pipeline = audio(batcher);
  const TimeLeft time;
  double audio_s = 0, padded_s = 0;
  DividedStream stream(together_, pipeline, batcher.name(), 0);
  const Extent extent = stream.extent();
  while (const auto batch = stream.next()) {
    throw_if_stopped();
    for (const Row& row : batch->rows) audio_s += row.rejected ? 0 : row.entry->shape.seconds();
    padded_s += batch->padded_s();
    progress({.what = batcher.name(),
              .done = batch->number + 1,
              .total = extent.batches,
              .unit = "batches",
              .more = {format("%.0f x real time", audio_s / time.gone_s()),
                       duration_text(audio_s) + " of audio"},
              .left_s = time.left_s(together_.size() * padded_s / extent.padded_s)});
  }
  if (stream.is_stopped()) throw_if_stopped();
  together_.agree(std::span(&audio_s, 1));
  exchange();
  const double wall_s = time.gone_s();
  (*summary_)["data"][batcher.name()] = {
      {"audio_s", audio_s}, {"wall_s", wall_s}, {"x_realtime", audio_s / wall_s}};
  result(node_table(pipeline, wall_s, threads_.count()) +
         format("%s: %s of audio in %.2f s, %.0f x real time, %s done, %s rejected\n",
                batcher.name().c_str(), duration_text(audio_s).c_str(), wall_s, audio_s / wall_s,
                counted(ledger_.done(), "utterance").c_str(),
                whole_text(ledger_.rejected()).c_str()));
}

void StepContext::finish() {
  together_.first([this] { write_end(); });
}

void StepContext::write_end() {
  (*summary_)["utterances"] = {{"done", ledger_.done()}, {"rejected", ledger_.rejected()}};
  (*summary_)["batches_sha256"] = ledger_.batches_sha256();
  *summary_ = rounded(*summary_);
  write_json(folder_.path() / kSummaryFile, *summary_);
  all_outputs_.insert(all_outputs_.end(), outputs_.begin(), outputs_.end());
  all_outputs_.emplace_back(kSummaryFile);
  if (options_.listener != nullptr) {
    for (std::string& name : options_.listener->finish()) all_outputs_.push_back(std::move(name));
  }
  folder_.write(folder_.end_path(), state(), all_outputs_, [](const std::filesystem::path&) {});
}

void StepContext::tell_results() {
  if (silences_.count() > 0) {
    reporter().say(counted(static_cast<int64_t>(silences_.count()), "utterance") +
                   " of silence alone, which have nothing to teach");
  }
  if (rejections_.count() > 0) {
    reporter().say(whole_text(ledger_.rejected()) + " of " +
                   counted(ledger_.done() + ledger_.rejected(), "utterance") +
                   " rejected, each listed in " + (folder_.path() / kRejectedFile).string() + ": " +
                   rejections_.by_reason());
  }
  try {
    for (const std::string& text : results_) reporter().result(text);
  } catch (const OutputError& error) {
    throw OutputError(std::string(error.what()) + "; the run is complete, in " +
                      folder_.path().string());
  }
}

}  // namespace flowqat::graph
