/// `flowqat profile`: a graph's data side alone, measured.
#include "graph/profile.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/graph_arguments.h"
#include "cli/index_progress.h"
#include "cli/output_file.h"
#include "cli/profile_html.h"
#include "cli/ranks.h"
#include "cli/signals.h"
#include "cli/silent_reporter.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/graph.h"
#include "graph/json_lines.h"
#include "graph/plain_numbers.h"

namespace flowqat::cli {
namespace {

using graph::format;

struct ProfileArguments : GraphArguments {
  std::string stream;  ///< a batch node's name; empty: the first one
  double seconds = 10;
  bool isolate = false, json = false;
  std::string trace, html;  ///< files to write, or empty
  bool overwrite = false;
  double trainer_x_realtime = 0;  ///< the speed of a trainer to feed; 0: examples
};

std::string table(const graph::Profile& profile) {
  std::string text =
      format("%-16s %12s %12s %8s %9s %9s %14s %14s\n", "node", "utterances/s", "x real time",
             "busy", "p50", "p99", "waiting before", "waiting behind");
  for (const graph::NodeProfile& node : profile.nodes) {
    text += format("%-16s %12.1f %12.0f %6.1f %% %6.2f ms %6.2f ms %12.1f s %12.1f s\n",
                   node.node.c_str(), node.utterances_per_s, node.x_realtime, 100 * node.busy_share,
                   node.p50_ms, node.p99_ms, node.in_flight_before_s, node.in_flight_after_s);
  }
  return text +
         "x real time: of one thread that does nothing else. busy: of all data threads' time.\n";
}

std::string isolated_table(const std::vector<graph::IsolatedNode>& nodes) {
  std::string text = format("\n%-16s %8s %14s %12s %8s\n", "node alone", "threads", "utterances/s",
                            "x real time", "scaling");
  for (const graph::IsolatedNode& node : nodes) {
    text += format("%-16s %8d %14.1f %12.0f %8.2f\n", node.node.c_str(), node.threads,
                   node.utterances_per_s, node.x_realtime, node.scaling);
  }
  return text;
}

/// What was measured, and whether it stands for the rest.
std::string share_of_epoch(const graph::Profile& profile) {
  const double epochs = profile.epochs();
  if (epochs >= 1) {
    return format("%.1f epochs of ", epochs) + graph::counted(profile.utterances, "utterance");
  }
  const std::string part = graph::counted(profile.measured + profile.rejected, "utterance") +
                           " of an epoch's " + graph::whole_text(profile.utterances);
  if (profile.sample.empty()) return part + ", drawn at random";
  return part + ", which need not be like the others: " + profile.sample;
}

/// What a person wants to know first.
std::string findings(const graph::Profile& profile, double trainer_x_realtime) {
  std::string text;
  if (!profile.bottleneck.empty()) {
    text += "bottleneck: " + profile.bottleneck + ": " + profile.reason + "\n";
  }
  text += format("feeds %.0f hours of audio an hour on ", profile.x_realtime()) +
          graph::counted(profile.threads, "thread") +
          format(" (%.0f to %.0f in slices of the time: %zu)\n", profile.lowest_x_realtime(),
                 profile.highest_x_realtime(), profile.slices_x_realtime.size());
  text += "measured: " + graph::duration_text(profile.audio_s) + " of audio in " +
          graph::duration_text(profile.wall_s) + ", " + share_of_epoch(profile) + "\n";
  text += format("%.3f CPU seconds per 1,000 s of audio, peak memory %.0f MB\n",
                 profile.cpu_s_per_1000_s(), 1e-6 * static_cast<double>(profile.peak_rss_bytes));
  const std::vector<double> speeds = trainer_x_realtime > 0
                                         ? std::vector<double>{trainer_x_realtime}
                                         : std::vector<double>{100, 1000, 10000};
  for (const double speed : speeds) {
    text += format("a trainer at %.0f x real time needs %.2f of such cores\n", speed,
                   speed * profile.cpu_s / profile.audio_s);
  }
  if (profile.rejected > 0) {
    text += graph::counted(profile.rejected, "utterance") +
            " rejected: run the graph itself to have them listed in rejected.jsonl\n";
  }
  return text;
}

graph::Json as_json(const graph::Profile& profile, const std::string& stream,
                    const std::vector<graph::IsolatedNode>& isolated) {
  graph::Json nodes = graph::Json::array(), alone = graph::Json::array();
  for (const graph::NodeProfile& node : profile.nodes) {
    nodes.push_back({{"node", node.node},
                     {"utterances_per_s", node.utterances_per_s},
                     {"x_realtime", node.x_realtime},
                     {"busy_share", node.busy_share},
                     {"p50_ms", node.p50_ms},
                     {"p99_ms", node.p99_ms},
                     {"in_flight_before_s", node.in_flight_before_s},
                     {"in_flight_after_s", node.in_flight_after_s},
                     {"rejected", node.rejected}});
  }
  for (const graph::IsolatedNode& node : isolated) {
    alone.push_back({{"node", node.node},
                     {"threads", node.threads},
                     {"x_realtime", node.x_realtime},
                     {"utterances_per_s", node.utterances_per_s},
                     {"scaling", node.scaling}});
  }
  graph::Json json{
      {"stream", stream},
      {"x_realtime", profile.x_realtime()},
      {"x_realtime_lowest", profile.lowest_x_realtime()},
      {"x_realtime_highest", profile.highest_x_realtime()},
      {"x_realtime_slices", profile.slices_x_realtime},
      {"cpu_s_per_1000_s", profile.cpu_s_per_1000_s()},
      {"peak_rss_bytes", profile.peak_rss_bytes},
      {"bottleneck", profile.bottleneck},
      {"reason", profile.reason},
      {"batches_sha256",
       profile.batches_sha256.empty() ? graph::Json() : graph::Json(profile.batches_sha256)},
      {"audio_s", profile.audio_s},
      {"wall_s", profile.wall_s},
      {"cpu_s", profile.cpu_s},
      {"threads", profile.threads},
      {"epochs", profile.epochs()},
      {"utterances", profile.utterances},
      {"measured", profile.measured},
      {"sample", profile.sample},
      {"rejected", profile.rejected},
      {"nodes", nodes}};
  if (!isolated.empty()) json["isolated"] = alone;
  return json;
}

int profile(const ProfileArguments& arguments) {
  graph::Graph graph(graph::upstream_of(resolved_graph(arguments), arguments.stream));
  const StartedRank started = started_rank();
  const bool speaks = started.rank.rank == 0;
  Terminal shown;
  SilentReporter silent;
  graph::Reporter& terminal = speaks ? static_cast<graph::Reporter&>(shown) : silent;
  OutputFile trace_file(speaks ? arguments.trace : "", arguments.overwrite);
  OutputFile html(speaks ? arguments.html : "", arguments.overwrite);
  const std::atomic<int>& stop_signal = catch_stop_signals();
  graph::fetch_missing(graph, {terminal, stop_signal});
  const graph::Batcher& batcher = *graph.batchers().front();
  const auto asked = static_cast<int>(graph.settings().integer("threads"));
  graph::DataThreads threads(asked > 0 ? asked : cores_of(started));
  graph::Ledger ledger;
  graph::Pipeline pipeline(batcher, graph::pipeline_options(graph.settings()), threads, ledger,
                           index_progress(terminal, batcher.name()));

  const graph::ProfileOptions options{
      .seconds = arguments.seconds,
      .share = {.rank = started.rank.rank, .size = started.rank.size},
      .progress =
          [&](graph::Progress progress) {
            progress.what = batcher.name() + ": " + progress.what;
            terminal.progress(progress);
          },
      .throw_if_stopped =
          [&] {
            if (stop_signal != 0) throw graph::Interrupted(stop_signal);
          }};
  std::optional<graph::Trace> trace;
  if (!arguments.trace.empty()) {
    std::vector<std::string> names;
    for (const graph::Transform* node : pipeline.chain().transforms) names.push_back(node->name());
    pipeline.set_trace(&trace.emplace(std::move(names)));
  }
  const graph::Profile measured = graph::profile(pipeline, options);
  pipeline.set_trace(nullptr);
  std::vector<graph::IsolatedNode> isolated;
  if (arguments.isolate) isolated = graph::isolate(pipeline, arguments.seconds, options);

  if (!speaks) return kDone;
  if (trace) {
    trace->write(trace_file.partial());
    trace_file.keep();
  }
  if (html) {
    html.write(profile_page(measured, isolated, arguments.graph + ", " + batcher.name()));
  }
  if (arguments.json) {
    terminal.result(graph::json_line(as_json(measured, batcher.name(), isolated)));
    return kDone;
  }
  terminal.result(table(measured) + (isolated.empty() ? "" : isolated_table(isolated)) + "\n" +
                  findings(measured, arguments.trainer_x_realtime));
  for (const std::string& file : {arguments.trace, arguments.html}) {
    if (!file.empty()) terminal.say("written to " + file);
  }
  return kDone;
}

}  // namespace

Command profile_command() {
  const auto told = std::make_shared<ProfileArguments>();
  return {.name = "profile",
          .doc = "runs a graph's data side alone and says what holds it up",
          .examples = {"flowqat profile configs/data_only.json",
                       "flowqat profile configs/data_only.json --isolate --html profile.html"},
          .arguments = {graph_argument(told->graph),
                        set_option(told->overrides),
                        {.name = "--stream",
                         .value = "NODE",
                         .doc = "the batch node to profile, where there are several",
                         .target = &told->stream,
                         .fallback = "the first"},
                        {.name = "--seconds",
                         .value = "S",
                         .doc = "measure for so long, within an epoch where that is longer",
                         .target = &told->seconds,
                         .minimum = 0,
                         .maximum = 1e6},
                        {.name = "--trainer",
                         .value = "X",
                         .doc = "the speed of a trainer, x real time: says how many cores feed it",
                         .target = &told->trainer_x_realtime,
                         .minimum = 1e-6,
                         .fallback = "some examples"},
                        {.name = "--isolate",
                         .doc = "measure each node alone as well, on 1, 2, 4 ... threads",
                         .target = &told->isolate},
                        json_option(told->json),
                        output_option(told->html, "--html",
                                      "write a page with the occupancy over time"),
                        output_option(told->trace, "--trace",
                                      "write every piece of work, for chrome://tracing and "
                                      "ui.perfetto.dev"),
                        overwrite_option(told->overwrite)},
          .run = [told] { return profile(*told); }};
}

}  // namespace flowqat::cli
