#include "graph/isolate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "graph/time_left.h"

namespace flowqat::graph {
namespace {

constexpr size_t most_utterances = 64;
constexpr size_t most_samples = (size_t{256} << 20) / sizeof(float);
constexpr double most_pass_s = 1;                         // from one node to the next
constexpr double least_each_s = 0.05, most_each_s = 0.5;  // a measurement

/// An utterance on its way through the chain, kept between two nodes.
struct Kept {
  IndexEntry entry;
  int copy;
  Shape shape;
  SampleBuffer samples;
};

class Bench {
 public:
  explicit Bench(Pipeline& pipeline)
      : chain_(pipeline.chain()),
        key_{.seed = pipeline.options().seed,
             .consumer = key_of(chain_.batcher->name()),
             .epoch = 0} {
    size_t samples = 0;
    for (const PlannedBatch& batch : pipeline.epoch_plan(chain_.batcher->name(), 0)->window(0)) {
      for (const Presentation& row : batch.rows) {
        IndexEntry entry = pipeline.index()[row.entry];
        if (!entry.broken.empty() || entry.shape.samples == 0) continue;
        samples += static_cast<size_t>(entry.shape.samples);
        const bool is_full = kept_.size() == most_utterances || samples > most_samples;
        if (is_full && !kept_.empty()) return;
        const Shape shape = entry.shape;
        kept_.push_back({std::move(entry), row.copy, shape, {}});
      }
    }
  }

  /// Runs transform `position` over the utterances, again and again; they stay as they are.
  IsolatedNode measure(size_t position, int threads, double seconds) const {
    using Clock = std::chrono::steady_clock;
    std::atomic<size_t> next{0};
    std::atomic<int64_t> done_us{0};
    const auto start = Clock::now();
    const auto deadline = start + std::chrono::duration<double>(seconds);
    const auto work = [&] {
      SampleBuffer out;  // a thread's own, like the engine's memory used again
      while (Clock::now() < deadline) {
        const Kept& kept = kept_[next++ % kept_.size()];
        apply(position, kept, out);
        done_us += static_cast<int64_t>(1e6 * kept.shape.seconds());
      }
    };
    {
      std::vector<std::jthread> others;
      for (int i = 1; i < threads; ++i) others.emplace_back(work);
      work();
    }
    const double wall_s = std::chrono::duration<double>(Clock::now() - start).count();
    return {.node = chain_.transforms[position]->name(),
            .threads = threads,
            .x_realtime = 1e-6 * static_cast<double>(done_us) / wall_s,
            .utterances_per_s = static_cast<double>(next) / wall_s};
  }

  /// What transform `position` makes of the utterances; those that it rejects are let go here too,
  /// and those for which the time is too short.
  std::vector<Kept> pass(size_t position) {
    const TimeLeft time;
    std::vector<Kept> passed;
    std::erase_if(kept_, [&](const Kept& kept) {
      if (!passed.empty() && time.gone_s() > most_pass_s) return true;
      SampleBuffer out;
      try {
        const Shape shape = apply(position, kept, out);
        const bool same = chain_.transforms[position]->passes_samples();
        passed.push_back({kept.entry, kept.copy, shape, same ? kept.samples : std::move(out)});
        return false;
      } catch (const Rejection&) {
        return true;
      }
    });
    return passed;
  }
  void go_on_with(std::vector<Kept> passed) { kept_ = std::move(passed); }

 private:
  Shape apply(size_t position, const Kept& kept, SampleBuffer& out) const {
    const Transform& transform = *chain_.transforms[position];
    const Draw draw = draw_for(chain_, position, kept.entry, kept.copy, key_);
    Row row{.entry = &kept.entry,
            .copy = kept.copy,
            .samples = 0,
            .time_masks = {},
            .channel_masks = {},
            .rejected = {}};
    Shape shape = kept.shape;
    if (transform.passes_samples()) {
      out.clear();
    } else {
      shape = transform.predict(kept.shape, draw);
      out.resize(static_cast<size_t>(shape.samples));
    }
    transform.apply(kept.shape, kept.samples, out, draw, row);
    return shape;
  }

  const Chain& chain_;
  const EpochKey key_;
  std::vector<Kept> kept_;
};

/// 1, 2, 4 ... and the most.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

}  // namespace

std::vector<IsolatedNode> isolate(Pipeline& pipeline, double seconds,
                                  const ProfileOptions& options) {
  Bench bench(pipeline);
  std::vector<IsolatedNode> all;
  const std::vector<int> counts = thread_counts(pipeline.threads().count());
  const size_t measurements = counts.size() * pipeline.chain().transforms.size();
  const double each_s = std::clamp(seconds / std::max<double>(static_cast<double>(measurements), 1),
                                   least_each_s, most_each_s);
  for (size_t i = 0; i < pipeline.chain().transforms.size(); ++i) {
    const std::string& node = pipeline.chain().transforms[i]->name();
    std::vector<Kept> passed = bench.pass(i);  // and warms the page cache
    if (passed.empty()) {
      throw RunError("node \"" + node + "\": rejects every utterance, so it cannot be measured");
    }
    double alone = 0;
    for (const int threads : counts) {
      options.throw_if_stopped();
      options.progress({.what = node + " alone on " + counted(threads, "thread"),
                        .done = std::ssize(all),
                        .total = static_cast<int64_t>(measurements),
                        .unit = "measurements",
                        .left_s = each_s * static_cast<double>(measurements - all.size())});
      IsolatedNode measured = bench.measure(i, threads, each_s);
      if (threads == 1) alone = measured.x_realtime;
      measured.scaling = measured.x_realtime / alone;
      all.push_back(measured);
    }
    bench.go_on_with(std::move(passed));
  }
  return all;
}

}  // namespace flowqat::graph
