/// The oneTBB flow graph of one epoch: a function node for every transform, one that completes
/// batches, one that puts them in order, and a queue. Nothing in it ever blocks: the gate admits
/// work from outside, when the consumer opens the stream and whenever it lets go of a batch. (No
/// node is lightweight: oneTBB holds a lock on a node's successors while their bodies run, so all
/// utterances would pass one by one.)
#include <tbb/flow_graph.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>

#include "graph/data_threads.h"
#include "graph/error.h"
#include "graph/gate.h"
#include "graph/rejection_budget.h"
#include "graph/rejections.h"
#include "graph/row_maker.h"
#include "graph/running_plan.h"

namespace flowqat::graph {
namespace {

using UtterancePtr = std::shared_ptr<Utterance>;
using BatchPtr = std::shared_ptr<OpenBatch>;

/// How often a consumer that waits looks whether the graph is still at work.
constexpr std::chrono::seconds kLookAfterGraph{1};

class EpochStream : public Stream, public std::enable_shared_from_this<EpochStream> {
 public:
  EpochStream(Pipeline& pipeline, std::string consumer, EpochKey key, int64_t first_batch,
              const Share& share)
      : pipeline_(pipeline),
        consumer_(std::move(consumer)),
        key_(key),
        plan_(pipeline, consumer_, key_.epoch, first_batch, share),
        maker_(pipeline, key),
        gate_(plan_.in_flight_limit_s()),
        extent_(plan_.extent()) {
    // An epoch's budget is the whole epoch's, wherever it is begun.
    if (plan_.is_begun()) rejected_ = pipeline_.ledger().rejected_in(consumer_, key_.epoch);
    pipeline_.ledger().open({consumer_, key_.epoch, plan_.is_begun(),
                             pipeline_.chain().source->name(), extent_.utterances});
    // A graph belongs to the arena in which it is made.
    pipeline_.threads().impl().run_inside([this] { build(); });
  }

  /// Stops what is under way; outstanding batches stay valid.
  void close() {
    closing_ = true;
    pipeline_.ledger().close();
    guarded([this] { graph_->wait_for_all(); });
  }

  /// What goes wrong in planning is the consumer's to hear of.
  void admit() {
    guarded([this] { admit_all(); });
  }

  void admit_all() {
    const std::lock_guard admission(admission_);
    while (!closing_ && !end_is_known_) {
      const PlannedBatch* planned = plan_.next();
      {
        const std::lock_guard lock(mutex_);
        extent_ = plan_.extent();
        gate_.allow(plan_.in_flight_limit_s());
        end_is_known_ = planned == nullptr;
        if (end_is_known_) end_ = plan_.taken();
        if (!end_is_known_ && !gate_.admit(planned->padded_s())) return;
      }
      if (end_is_known_) return arrived_.notify_one();
      const auto number = static_cast<int64_t>(plan_.next_number());
      start(std::make_shared<const PlannedBatch>(plan_.take()), number);
    }
  }

  void release(double padded_s, int64_t audio_us) {
    pipeline_.released_us() += audio_us;
    {
      const std::lock_guard lock(mutex_);
      gate_.release(padded_s);
    }
    admit();
  }

  bool wait_until(std::chrono::steady_clock::time_point deadline) override {
    std::unique_lock lock(mutex_);
    return arrived_.wait_until(lock, deadline, [this] { return has_come(); });
  }

  Extent extent() const override {
    Extent extent = planned_extent();
    if (plan_.windows() == 1) return extent;
    const std::vector<int64_t> counts = pipeline_.count_windows(consumer_, key_.epoch);
    extent.batches = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    return extent;
  }

  std::shared_ptr<const Batch> next() override {
    BatchPtr open;
    {
      std::unique_lock lock(mutex_);
      while (!arrived_.wait_for(lock, kLookAfterGraph, [this] { return has_come(); })) {
        if (!context_.is_group_execution_cancelled()) continue;
        // oneTBB itself ran out of memory between two nodes: nothing will come any more.
        lock.unlock();
        graph_->wait_for_all();
        throw std::bad_alloc();
      }
      if (failure_) std::rethrow_exception(failure_);
      if (ready_.empty()) return nullptr;
      open = std::move(ready_.front());
      ready_.pop_front();
    }
    ++handed_on_;
    pipeline_.ledger().add(open->batch, consumer_, key_.epoch);
    check_budget(open->batch);
    // The batch gives its room back when the consumer lets go of it, even after the stream's end.
    return {&open->batch, [open, self = shared_from_this(), padded_s = open->batch.padded_s(),
                           audio_us = source_us(open->batch.entries)](const Batch*) mutable {
              open.reset();
              self->release(padded_s, audio_us);
            }};
  }

 private:
  using Work = tbb::flow::function_node<UtterancePtr, UtterancePtr>;

  void build() {
    graph_ = std::make_unique<tbb::flow::graph>(context_);
    const auto& transforms = pipeline_.chain().transforms;
    for (size_t i = 0; i < transforms.size(); ++i) {
      work_.push_back(
          std::make_unique<Work>(*graph_, tbb::flow::unlimited, [this, i](UtterancePtr utterance) {
            apply(i, *utterance);
            return utterance;
          }));
      if (i > 0) tbb::flow::make_edge(*work_[i - 1], *work_[i]);
    }
    complete_ = std::make_unique<Complete>(
        *graph_, tbb::flow::unlimited,
        [this](const UtterancePtr& utterance, Complete::output_ports_type& ports) {
          guarded([&] {
            if (!closing_) maker_.finish(*utterance);
            if (utterance->home->missing_rows.fetch_sub(1) == 1) {
              std::get<0>(ports).try_put(utterance->home);
            }
          });
        });
    order_ = std::make_unique<tbb::flow::sequencer_node<BatchPtr>>(
        *graph_, [this](const BatchPtr& open) { return plan_.place_of(open->batch.number); });
    hand_on_ = std::make_unique<tbb::flow::function_node<BatchPtr>>(
        *graph_, tbb::flow::serial, [this](const BatchPtr& open) {
          guarded([&] {
            const std::lock_guard lock(mutex_);
            ready_.push_back(open);
          });
          arrived_.notify_one();
          return tbb::flow::continue_msg();
        });
    if (!work_.empty()) tbb::flow::make_edge(*work_.back(), *complete_);
    tbb::flow::make_edge(tbb::flow::output_port<0>(*complete_), *order_);
    tbb::flow::make_edge(*order_, *hand_on_);
  }

  Extent planned_extent() const {
    const std::lock_guard lock(mutex_);
    return extent_;
  }

  /// Under mutex_.
  bool has_come() const { return failure_ || !ready_.empty() || end_ == handed_on_; }

  static int64_t source_us(const std::vector<IndexEntry>& entries) {
    double sum_s = 0;
    for (const IndexEntry& entry : entries) sum_s += entry.shape.seconds();
    return static_cast<int64_t>(sum_s * 1e6);
  }

  int64_t source_us(const PlannedBatch& planned) const {
    double sum_s = 0;
    for (const Presentation& row : planned.rows) {
      sum_s += pipeline_.index().shape(row.entry).seconds();
    }
    return static_cast<int64_t>(sum_s * 1e6);
  }

  void start(const std::shared_ptr<const PlannedBatch>& planned, int64_t number) {
    pipeline_.admitted_us() += source_us(*planned);
    // Handed over, because try_put() from outside of the arena waits until a worker has time for
    // it.
    graph_->reserve_wait();
    pipeline_.threads().impl().arena.enqueue([this, planned, number] {
      guarded([&] {
        for (const UtterancePtr& utterance : maker_.begin(*planned, number)) {
          if (work_.empty()) {
            complete_->try_put(utterance);
          } else {
            work_.front()->try_put(utterance);
          }
        }
      });
      graph_->release_wait();
    });
  }

  void apply(size_t position, Utterance& utterance) {
    if (closing_) return;
    guarded([&] { maker_.apply(position, utterance); });
  }

  /// Runs a task's work: what a task throws would end the process, so it ends the stream instead.
  template <class TaskWork>
  void guarded(const TaskWork& work) {
    try {
      work();
    } catch (...) {
      fail(std::current_exception());
    }
  }

  void fail(std::exception_ptr failure) {
    closing_ = true;
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::move(failure);
    }
    arrived_.notify_one();
  }

  void check_budget(const Batch& batch) {
    for (const Row& row : batch.rows) {
      if (!row.rejected) continue;
      check_rejected(++rejected_, planned_extent().utterances, pipeline_.options(),
                     pipeline_.chain().source->name(), reason_with_path(row));
    }
  }

  using Complete = tbb::flow::multifunction_node<UtterancePtr, std::tuple<BatchPtr>>;

  Pipeline& pipeline_;
  const std::string consumer_;
  const EpochKey key_;
  RunningPlan plan_;           ///< under admission_
  bool end_is_known_ = false;  ///< under admission_
  size_t handed_on_ = 0;       ///< batches; the consumer's
  const RowMaker maker_;
  int64_t rejected_ = 0;
  std::atomic<bool> closing_{false};
  std::mutex admission_;      ///< batches enter in plan order
  mutable std::mutex mutex_;  ///< over what follows
  std::condition_variable arrived_;
  Gate gate_;
  Extent extent_;
  std::optional<size_t> end_;  ///< how many batches there are, once that is known
  std::deque<BatchPtr> ready_;
  std::exception_ptr failure_;

  // Nodes go before the graph: members are destroyed from the last to the first.
  tbb::task_group_context context_;
  std::unique_ptr<tbb::flow::graph> graph_;
  std::vector<std::unique_ptr<Work>> work_;
  std::unique_ptr<Complete> complete_;
  std::unique_ptr<tbb::flow::sequencer_node<BatchPtr>> order_;
  std::unique_ptr<tbb::flow::function_node<BatchPtr>> hand_on_;
};

/// Owns the epoch for the consumer; batches that outlive it keep the epoch's memory.
class OpenStream : public Stream {
 public:
  explicit OpenStream(std::shared_ptr<EpochStream> epoch) : epoch_(std::move(epoch)) {
    epoch_->admit();
  }
  ~OpenStream() override { epoch_->close(); }
  std::shared_ptr<const Batch> next() override { return epoch_->next(); }
  bool wait_until(std::chrono::steady_clock::time_point deadline) override {
    return epoch_->wait_until(deadline);
  }
  Extent extent() const override { return epoch_->extent(); }

 private:
  std::shared_ptr<EpochStream> epoch_;
};

}  // namespace

std::unique_ptr<Stream> Pipeline::open(const std::string& consumer, int64_t epoch,
                                       int64_t first_batch, const Share& share) {
  const EpochKey key{.seed = options_.seed, .consumer = key_of(consumer), .epoch = epoch};
  return std::make_unique<OpenStream>(
      std::make_shared<EpochStream>(*this, consumer, key, first_batch, share));
}

}  // namespace flowqat::graph
