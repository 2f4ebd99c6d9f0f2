#include "graph/profile.h"

#include <sys/resource.h>

#include <algorithm>
#include <set>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double least_interval_s = 0.02;
constexpr double most_looks = 500;
constexpr size_t most_slices = 10;
constexpr std::chrono::milliseconds patience{100};  // between two looks at the clock

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
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

/// A consumer that lets go of every batch at once, and goes from epoch to epoch.
class Drain {
 public:
  Drain(Pipeline& pipeline, const ProfileOptions& options)
      : pipeline_(pipeline), options_(options), first_epoch_(first_epoch(pipeline)) {
    open(first_epoch_);
    utterances_ = std::max<int64_t>(stream_->extent().utterances / options.share.size, 1);
  }

  /// Draws until `is_over`, which is asked several times a second; `gone_s` counts from now.
  template <class Over>
  void draw(const Over& is_over) {
    while (!is_over()) {
      options_.throw_if_stopped();
      if (!stream_->wait_until(Clock::now() + patience)) continue;
      if (stream_->next()) continue;
      if (epoch_ == 0 && first_epoch_ == 0 && options_.share.size == 1)
        sha256_ = pipeline_.ledger().batches_sha256();
      open(epoch_ + 1);
    }
  }

  int64_t utterances() const { return utterances_; }
  bool is_through_first() const { return epoch_ > first_epoch_; }
  const std::string& sha256() const { return sha256_; }
  /// Whether the batches that came so far are no sample of an epoch, and why.
  std::string order() const {
    const Chain& chain = pipeline_.chain();
    if (!chain.batcher->is_in_random_order(first_epoch_)) {
      return "\"" + chain.batcher->name() + "\" draws them in the corpus's order";
    }
    if (chain.source->shuffle_window() > 0) {
      return "\"" + chain.source->name() + "\" shuffles them among neighbours only";
    }
    return "";
  }

 private:
  /// Where the first epoch goes by length, the second is more like the rest.
  static int64_t first_epoch(const Pipeline& pipeline) {
    const Batcher& batcher = *pipeline.chain().batcher;
    return !batcher.is_in_random_order(0) && batcher.is_in_random_order(1) ? 1 : 0;
  }
  void open(int64_t epoch) {
    epoch_ = epoch;
    stream_.reset();  // its threads' time is the next one's
    stream_ = pipeline_.open(pipeline_.chain().batcher->name(), epoch, 0, options_.share);
  }

  Pipeline& pipeline_;
  const ProfileOptions& options_;
  const int64_t first_epoch_;
  int64_t epoch_ = 0, utterances_ = 0;
  std::string sha256_;
  std::unique_ptr<Stream> stream_;
};

/// What the counters say now. The clock is read before the first reading and after the second, so
/// that no node can have been busy for longer than that.
struct Reading {
  std::vector<NodeStatistics> nodes;
  std::vector<DurationHistogram::Counts> durations;
  int64_t utterances, rejected, audio_us;
  double cpu_s;

  explicit Reading(Pipeline& pipeline)
      : nodes(pipeline.statistics()),
        utterances(pipeline.finished().utterances),
        rejected(pipeline.finished().rejected),
        audio_us(pipeline.finished().audio_us),
        cpu_s(cpu_seconds()) {
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
    const NodeCounter::Counts &from = before.nodes[i].counts, &to = after.nodes[i].counts;
    const double busy_s = to.busy_s - from.busy_s;
    const auto quantile_ms = [&](double quantile) {
      return DurationHistogram::quantile_ms(before.durations[i], after.durations[i], quantile);
    };
    nodes.push_back({.node = after.nodes[i].node,
                     .utterances_per_s = static_cast<double>(to.done - from.done) / profile.wall_s,
                     .x_realtime = busy_s > 0 ? (to.audio_s - from.audio_s) / busy_s : 0,
                     .busy_share = busy_s / thread_s,
                     .p50_ms = quantile_ms(0.5),
                     .p99_ms = quantile_ms(0.99),
                     .in_flight_before_s = mean_waiting_s(i),
                     .in_flight_after_s = mean_waiting_s(i + 1),
                     .rejected = to.rejected - from.rejected});
  }
  return nodes;
}

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
  profile.reason = "it takes " + percent_text(largest->busy_share / busy_share) +
                   " of the time that is spent in nodes";
  if (cpu_share < 0.7 * busy_share) {
    profile.reason += "; but only " + percent_text(cpu_share / busy_share) +
                      " of that time is spent computing: the threads wait for files, or other "
                      "programs take the cores";
  } else if (busy_share < 0.85) {
    profile.reason += "; but the threads idle " + percent_text(1 - busy_share) +
                      " of the time: more audio in flight (the batch's \"queue\", or "
                      "\"audio_in_flight_s\") would keep them busy";
  }
}

}  // namespace

double Profile::lowest_x_realtime() const {
  return slices_x_realtime.empty() ? x_realtime() : std::ranges::min(slices_x_realtime);
}

double Profile::highest_x_realtime() const {
  return slices_x_realtime.empty() ? x_realtime() : std::ranges::max(slices_x_realtime);
}

Profile profile(Pipeline& pipeline, const ProfileOptions& options) {
  Profile result;
  result.threads = pipeline.threads().count();
  const Finished& finished = pipeline.finished();
  options.progress({.what = "planning an epoch"});
  auto start = Clock::now();
  const auto gone_s = [&] { return seconds_between(start, Clock::now()); };
  Drain drain(pipeline, options);
  result.utterances = drain.utterances();
  start = Clock::now();
  drain.draw([&] {
    options.progress({.what = "warming up", .done_share = gone_s() / options.warm_up_s});
    return drain.is_through_first() || gone_s() >= options.warm_up_s;
  });

  start = Clock::now();
  const Reading before(pipeline);
  const auto has_come = [&] {
    return finished.utterances > before.utterances || finished.rejected > before.rejected;
  };
  {
    const Observer observer(
        pipeline, start, std::max(least_interval_s, options.seconds / most_looks), result.timeline);
    drain.draw([&] {
      const double audio_s = 1e-6 * static_cast<double>(finished.audio_us - before.audio_us);
      const double now_s = std::max(gone_s(), 1e-3);
      options.progress({.what = "measuring",
                        .more = {format("%.0f x real time", audio_s / now_s)},
                        .left_s = std::max(0.0, options.seconds - now_s),
                        .done_share = now_s / std::max(options.seconds, 1e-3)});
      return gone_s() >= options.seconds && has_come();
    });
  }
  const Reading after(pipeline);
  result.wall_s = gone_s();
  result.cpu_s = after.cpu_s - before.cpu_s;
  result.audio_s = 1e-6 * static_cast<double>(after.audio_us - before.audio_us);
  result.measured = after.utterances - before.utterances;
  result.rejected = after.rejected - before.rejected;
  result.batches_sha256 = drain.sha256();
  if (result.audio_s == 0) {
    throw RunError("node \"" + pipeline.chain().source->name() + "\": all of the " +
                   counted(result.rejected, "utterance") +
                   " that were measured were rejected, so there is nothing to say of the others");
  }
  if (result.epochs() < 1) result.sample = drain.order();
  result.nodes = compare(before, after, result);
  result.slices_x_realtime = speed_of_slices(result.timeline, most_slices);
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
