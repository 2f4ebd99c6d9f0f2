#include "graph/run.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json_text.h"
#include "graph/check.h"
#include "graph/error.h"
#include "graph/run_standing.h"
#include "graph/same_graph.h"

namespace flowqat::graph {
namespace {

std::vector<std::string> step_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Step* step : graph.steps()) names.push_back(step->name());
  return names;
}

/// Tells in the run's folder how it ended, as far as that can be written by now.
void leave_word(const RunFolder& folder, const RunOptions& options, RunState state,
                const std::string& why) try {
  write_stopped(folder.path(), state, why);
  if (options.listener != nullptr) options.listener->stop(state, why);
} catch (const std::exception&) {
  return;  // the first error is the one to be told
}

Json run_steps(const Graph& graph, StepContext& context, const RunFolder& folder,
               const RunOptions& options) {
  const bool writes = context.together().is_first();
  try {
    if (writes && options.listener != nullptr) options.listener->begin(folder.path());
    for (Step* step : graph.steps()) context.run(*step);
    if (graph.steps().empty()) {
      for (const Batcher* batcher : graph.batchers()) context.drain(*batcher);
    }
    context.finish();
  } catch (const Interrupted&) {
    if (writes) leave_word(folder, options, RunState::interrupted, "stopped by a signal");
    throw;
  } catch (const std::exception& error) {
    if (writes) leave_word(folder, options, RunState::failed, error.what());
    throw;
  }
  if (writes) context.tell_results();
  return context.summary();
}

}  // namespace

Json run_graph(const Graph& graph, const RunOptions& options) {
  Together together(options.peers, *options.stop_signal);
  const std::filesystem::path out = graph.settings().text("out");
  const Json resolved = graph.spec().resolved();
  const auto say = [&options](const std::string& line) { options.reporter->say(line); };
  std::optional<Json> complete;
  together.first([&] {
    check_run_folder(out, resolved, options.existing);
    if (options.existing == Existing::resume) complete = summary_of_complete(out, resolved, say);
  });
  if (!together.broadcast(complete ? "complete" : "").empty()) {
    say(out.string() + ": this run is complete; nothing to resume");
    return complete.value_or(Json());
  }
  Checked checked;
  const auto check_all = [&] {
    checked = check(graph, *options.reporter, together.stop_signal(), together.size(),
                    together.local_size());
  };
  together.first(check_all);  // what it reads of a corpus is kept for the others
  if (!together.is_alone()) together.each([&] { together.is_first() ? void() : check_all(); });
  std::optional<RunFolder> folder;
  std::optional<RunInputs> inputs;
  ResumePoint point;
  together.first([&] {
    inputs.emplace(checked, pipeline_options(graph.settings()));
    folder.emplace(out, resolved, options.existing, checked.outputs, say);
    const ResumeSearch search(*folder, step_names(graph), lengths_of(resolved));
    search.check(*inputs, options.accept_changes);
    folder->begin(resolved, *inputs);
    point = search.take();
  });
  const std::string told = together.broadcast(as_json(point).dump());
  if (!together.is_first()) {
    folder.emplace(out);
    point = resume_point_of(parse_json<Json>(told));
  }
  StepContext context(graph, options, together, *folder, std::move(point),
                      inputs ? inputs->summary() : Json(), std::move(checked.streams));
  return run_steps(graph, context, *folder, options);
}

}  // namespace flowqat::graph
