/// How long a graph's only stream takes from nothing to its first batch, in time and processor
/// seconds; with a second argument, what it holds in memory for a whole epoch's plan, without any
/// audio: build/bench_first_audio GRAPH.json [plan]. One line of JSON. bench/growth.py makes
/// corpora for it.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/check.h"
#include "graph/graph_file.h"
#include "graph/pipeline.h"
#include "graph/run_inputs.h"
#include "graph/running_plan.h"

using namespace flowqat;
using Clock = std::chrono::steady_clock;

namespace {

class Silent : public graph::Reporter {
 public:
  void say(const std::string&) override {}
  void progress(const graph::Progress&) override {}
  void result(const std::string&) override {}
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Of /proc/self/status, in bytes.
int64_t memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return 1024 * std::stoll(line.substr(field.size() + 1));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::runtime_error("usage: bench_first_audio GRAPH.json [plan]");
  const auto start = Clock::now();
  const auto gone_s = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const int64_t empty_bytes = memory("VmRSS");
  const graph::Graph graph(graph::resolve(graph::read_graph(argv[1]), argv[1]));
  // As a run does it, up to its first batch.
  Silent reporter;
  const std::atomic<int> stop_signal{0};
  graph::Checked checked = graph::check(graph, reporter, stop_signal);
  const graph::PipelineOptions options = graph::pipeline_options(graph.settings());
  const graph::RunInputs inputs(checked, options);
  graph::Json line{{"checked_s", gone_s()}};
  graph::DataThreads threads(static_cast<int>(graph.settings().integer("threads")));
  graph::Ledger ledger;
  const graph::Batcher& batcher = *graph.batchers().front();
  graph::Pipeline pipeline(std::move(checked.streams.at(&batcher)), options, threads, ledger);
  line["utterances"] = pipeline.index().size();
  if (argc == 2) {
    const auto stream = pipeline.open(batcher.name(), 0);
    const auto batch = stream->next();
    line["first_audio_s"] = gone_s();
    line["first_audio_cpu_s"] = cpu_seconds();
  } else {
    const double before_s = gone_s();
    int64_t batches = 0, most_bytes = 0;
    double padded_s = 0, speech_s = 0;
    graph::RunningPlan plan(pipeline, batcher.name(), 0, 0, graph::Share());
    while (plan.next() != nullptr) {
      const graph::PlannedBatch planned = plan.take();
      padded_s += planned.padded_s();
      for (const graph::Presentation& at : planned.rows) {
        speech_s += pipeline.index().shape(at.entry).seconds();
      }
      if (++batches % 1000 == 1) most_bytes = std::max(most_bytes, memory("VmRSS"));
    }
    const auto utterances = static_cast<double>(pipeline.index().size());
    line.update({{"bytes_an_utterance", static_cast<double>(most_bytes - empty_bytes) / utterances},
                 {"windows", pipeline.epoch_plan(batcher.name(), 0)->windows()},
                 {"batches", batches},
                 {"epoch_planned_s", gone_s() - before_s},
                 {"padding_share", 1 - speech_s / padded_s}});
  }
  line["peak_rss_mb"] = 1e-6 * static_cast<double>(memory("VmHWM"));
  std::printf("%s\n", line.dump().c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_first_audio: %s\n", error.what());
  return 1;
}
