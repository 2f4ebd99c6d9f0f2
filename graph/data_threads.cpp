#include "graph/data_threads.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "graph/usable_cores.h"

namespace flowqat::graph {
namespace {

constexpr int kDataThreadNice = 5;

}  // namespace

LowPriority::LowPriority(tbb::task_arena& arena) : tbb::task_scheduler_observer(arena) {
  observe(true);
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

DataThreads::DataThreads(int threads)
    : impl_(std::make_unique<Impl>(threads > 0 ? threads : usable_cores())) {}

DataThreads::~DataThreads() = default;

int DataThreads::count() const { return impl_->threads; }

}  // namespace flowqat::graph
