#include "graph/data_threads.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "graph/sample_buffers.h"
#include "graph/usable_cores.h"

namespace flowqat::graph {
namespace {

constexpr int kDataThreadNice = 5;
/// A thread has been waiting for a core for so long that there is none to come. A busy machine
/// gives one within less.
constexpr int kLongestStart_s = 60;

/// What oneTBB itself may need beside its threads' stacks; it does not outlive the lack of it.
constexpr size_t kHeadroomBytes = size_t{32} << 20;

/// Starts as many threads once. oneTBB goes on with fewer where the system refuses one, and where
/// it refuses every one, waits for ever.
void check_threads(int count) {
  std::vector<std::jthread> threads;
  std::latch all_tried(1);
  try {
    threads.reserve(static_cast<size_t>(count));
    while (std::ssize(threads) < count) threads.emplace_back([&] { all_tried.wait(); });
    give_back_pages(take_pages(kHeadroomBytes), kHeadroomBytes);
  } catch (const std::exception& error) {  // system_error or bad_alloc
    all_tried.count_down();
    if (std::ssize(threads) == count) throw;
    const auto* refused = dynamic_cast<const std::system_error*>(&error);
    throw RunError(
        "only " + std::to_string(threads.size()) + " of " + counted(count, "data thread") +
        " can be started: " + (refused != nullptr ? refused->code().message() : "out of memory") +
        "; a limit of memory or threads is too low (ulimit -v, ulimit -u), or "
        "\"threads\" too many");
  }
  all_tried.count_down();
}

}  // namespace

LowPriority::LowPriority(tbb::task_arena& arena) : tbb::task_scheduler_observer(arena) {
  // Without memory its destructor would fall over what is half made; this ends in a message
  // instead.
  [this]() noexcept { observe(true); }();
}

LowPriority::~LowPriority() { observe(false); }

void LowPriority::on_scheduler_entry(bool is_worker) {
  // Niceness belongs to a thread on Linux; a failure only costs the trainer some time.
  if (is_worker) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kDataThreadNice);
}

DataThreads::Impl::Impl(int threads)
    : threads(threads),
      workers(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads) + 1),
      arena(threads, 0),
      low_priority(arena) {}

void DataThreads::Impl::run_inside(const std::function<void()>& work) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> work;  ///< taken by whoever comes first: a thread, or who gives up
    bool is_done = false;
    std::exception_ptr failure;
  };
  const auto shared = std::make_shared<Shared>();
  shared->work = work;
  arena.enqueue([shared] {
    const std::lock_guard lock(shared->mutex);
    if (!shared->work) return;
    try {
      shared->work();
    } catch (...) {
      shared->failure = std::current_exception();
    }
    shared->is_done = true;
    shared->changed.notify_one();
  });
  std::unique_lock lock(shared->mutex);
  for (int waited_s = 0; !shared->is_done; ++waited_s) {
    if (waited_s == kLongestStart_s) {
      shared->work = nullptr;
      throw RunError("no data thread came to work within " + std::to_string(kLongestStart_s) +
                     " s: a limit of memory or threads is too low (ulimit -v, ulimit -u)");
    }
    shared->changed.wait_for(lock, std::chrono::seconds(1), [&] { return shared->is_done; });
  }
  if (shared->failure) std::rethrow_exception(shared->failure);
}

DataThreads::DataThreads(int threads) {
  const int count = threads > 0 ? threads : usable_cores();
  check_threads(count);
  impl_ = std::make_unique<Impl>(count);
}

DataThreads::~DataThreads() = default;

int DataThreads::count() const { return impl_->threads; }

}  // namespace flowqat::graph
