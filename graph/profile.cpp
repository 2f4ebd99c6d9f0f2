#include "graph/profile.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <thread>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double least_interval_s = 0.02;
constexpr double most_looks = 500;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

rusage process_usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double cpu_seconds() {
  const rusage usage = process_usage();
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Occupancy look(Pipeline& pipeline, double time_s) {
  Occupancy now{.time_s = time_s, .waiting_s = {}, .active = {}};
  // Counters are read downstream first, so that what moves on meanwhile is not counted twice.
  double taken_s = 1e-6 * static_cast<double>(pipeline.released_us());
  const auto& counters = pipeline.counters();
  for (auto counter = counters.rbegin(); counter != counters.rend(); ++counter) {
    now.waiting_s.push_back(std::max(0.0, counter->done_s() - taken_s));
    now.active.push_back(static_cast<double>(std::max<int64_t>(0, counter->active())));
    taken_s = counter->begun_s();
  }
  now.waiting_s.push_back(
      std::max(0.0, 1e-6 * static_cast<double>(pipeline.admitted_us()) - taken_s));
  std::reverse(now.waiting_s.begin(), now.waiting_s.end());
  std::reverse(now.active.begin(), now.active.end());
  return now;
}

/// Looks at the stream now and then, from a thread of its own, until it is destroyed.
class Observer {
 public:
  Observer(Pipeline& pipeline, double interval_s, std::vector<Occupancy>& timeline)
      : thread_([this, &pipeline, interval_s, &timeline] {
          const auto start = Clock::now();
          std::unique_lock lock(mutex_);
          const auto interval = std::chrono::duration<double>(interval_s);
          while (!stop_.wait_for(lock, interval, [this] { return stopping_; })) {
            timeline.push_back(look(pipeline, seconds_since(start)));
          }
        }) {}
  ~Observer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_one();
    thread_.join();
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Draws an epoch and returns the seconds of the corpus's audio that were read for it.
double drain(Pipeline& pipeline, int64_t epoch, const ProfileOptions& options) {
  double audio_s = 0;
  const auto stream = pipeline.open(pipeline.chain().batcher->name(), epoch);
  while (const auto batch = stream->next()) {
    options.throw_if_stopped();
    for (const Row& row : batch->rows) audio_s += row.rejected ? 0 : row.entry->shape.seconds();
  }
  return audio_s;
}

/// What the counters said at one time.
struct Reading {
  std::vector<NodeStatistics> nodes;
  std::vector<DurationHistogram::Counts> durations;

  explicit Reading(Pipeline& pipeline) : nodes(pipeline.statistics()) {
    for (const NodeCounter& counter : pipeline.counters()) {
      durations.push_back(counter.durations().counts());
    }
  }
};

std::vector<NodeProfile> compare(const Reading& before, const Reading& after,
                                 const Profile& profile) {
  std::vector<NodeProfile> nodes;
  const double thread_s = profile.wall_s * profile.threads;
  const auto mean_waiting_s = [&](size_t place) {
    double sum_s = 0;
    for (const Occupancy& at : profile.timeline) sum_s += at.waiting_s[place];
    return sum_s / std::max<double>(static_cast<double>(profile.timeline.size()), 1);
  };
  for (size_t i = 0; i < after.nodes.size(); ++i) {
    const double busy_s = after.nodes[i].busy_s - before.nodes[i].busy_s;
    const double audio_s = after.nodes[i].audio_s - before.nodes[i].audio_s;
    const auto utterances =
        static_cast<double>(after.nodes[i].utterances - before.nodes[i].utterances);
    const auto quantile_ms = [&](double quantile) {
      return DurationHistogram::quantile_ms(before.durations[i], after.durations[i], quantile);
    };
    nodes.push_back({.node = after.nodes[i].node,
                     .utterances_per_s = utterances / profile.wall_s,
                     .x_realtime = busy_s > 0 ? audio_s / busy_s : 0,
                     .busy_share = busy_s / thread_s,
                     .p50_ms = quantile_ms(0.5),
                     .p99_ms = quantile_ms(0.99),
                     .in_flight_before_s = mean_waiting_s(i),
                     .in_flight_after_s = mean_waiting_s(i + 1),
                     .rejected = after.nodes[i].rejected - before.nodes[i].rejected});
  }
  return nodes;
}

std::string percent(double share) { return format("%.0f %%", 100 * share); }

/// The node that most of the threads' time goes to, and what that time is spent on.
void find_bottleneck(Profile& profile) {
  if (profile.nodes.empty()) return;
  double busy_share = 0;
  for (const NodeProfile& node : profile.nodes) busy_share += node.busy_share;
  const auto largest = std::max_element(
      profile.nodes.begin(), profile.nodes.end(),
      [](const NodeProfile& a, const NodeProfile& b) { return a.busy_share < b.busy_share; });
  profile.bottleneck = largest->node;
  const double cpu_share = profile.cpu_s / (profile.wall_s * profile.threads);
  profile.reason = "it takes " + percent(largest->busy_share / busy_share) +
                   " of the time that is spent in nodes";
  if (cpu_share < 0.7 * busy_share) {
    profile.reason += "; but only " + percent(cpu_share / busy_share) +
                      " of that time is spent computing: the threads wait for files, or other "
                      "programs take the cores";
  } else if (busy_share < 0.85) {
    profile.reason += "; but the threads idle " + percent(1 - busy_share) +
                      " of the time: more audio in flight (the batch's \"queue\", or "
                      "\"audio_in_flight_s\") would keep them busy";
  }
}

}  // namespace

Profile profile(Pipeline& pipeline, const ProfileOptions& options) {
  Profile result;
  result.threads = pipeline.threads().count();
  options.progress("warming up with one epoch");
  drain(pipeline, 0, options);
  result.utterances = pipeline.ledger().done() + pipeline.ledger().rejected();
  result.rejected = pipeline.ledger().rejected();
  result.batches_sha256 = pipeline.ledger().batches_sha256();

  const Reading before(pipeline);
  const double cpu_before_s = cpu_seconds();
  const auto start = Clock::now();
  {
    const Observer observer(pipeline, std::max(least_interval_s, options.seconds / most_looks),
                            result.timeline);
    do {
      ++result.epochs;
      options.progress("measuring epoch " + std::to_string(result.epochs));
      result.audio_s += drain(pipeline, result.epochs, options);
    } while (seconds_since(start) < options.seconds);
    result.wall_s = seconds_since(start);
    result.cpu_s = cpu_seconds() - cpu_before_s;
  }
  if (result.audio_s == 0) {
    throw RunError("node \"" + pipeline.chain().source->name() + "\": all of the " +
                   std::to_string(result.utterances) +
                   " utterances of an epoch were rejected, so there is nothing to measure");
  }
  result.nodes = compare(before, Reading(pipeline), result);
  result.peak_rss_bytes = 1024 * static_cast<int64_t>(process_usage().ru_maxrss);
  find_bottleneck(result);
  return result;
}

GraphSpec upstream_of(const GraphSpec& spec, const std::string& stream) {
  std::string streams;
  std::set<std::string> wanted;
  for (const NodeSpec& node : spec.nodes) {
    if (node.type->output != EdgeKind::batches) continue;
    streams += (streams.empty() ? "\"" : ", \"") + node.name + "\"";
    if (node.name == stream || (stream.empty() && wanted.empty())) wanted.insert(node.name);
  }
  if (wanted.empty()) {
    throw GraphError(spec.file + ": " +
                     (streams.empty() ? "holds no batch node, so there is no stream to profile"
                                      : "no batch node is named \"" + stream +
                                            "\"; its streams end in " + streams));
  }
  GraphSpec upstream{.file = spec.file, .settings = spec.settings, .nodes = {}};
  for (auto node = spec.nodes.rbegin(); node != spec.nodes.rend(); ++node) {
    if (!wanted.contains(node->name)) continue;
    upstream.nodes.insert(upstream.nodes.begin(), *node);
    for (const auto& [key, names] : node->edges) wanted.insert(names.begin(), names.end());
  }
  return upstream;
}

}  // namespace flowqat::graph
