#include "runtime/compute/threads.h"

#ifndef FLOWQAT_WITHOUT_TBB
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#endif

#include <algorithm>

namespace flowqat::runtime {

#ifdef FLOWQAT_WITHOUT_TBB

// A build without oneTBB computes on the caller's thread alone, whatever it is asked for.
struct Threads::Arena {};

Threads::Threads(int) : count_(1) {}

Threads::~Threads() = default;

void Threads::run_all(int64_t tasks, Call call, const void* context) const {
  for (int64_t task = 0; task < tasks; ++task) call(context, task, 0);
}

#else

struct Threads::Arena {
  explicit Arena(int count)
      : allowed(tbb::global_control::max_allowed_parallelism,
                std::max<size_t>(static_cast<size_t>(count),
                                 tbb::global_control::active_value(
                                     tbb::global_control::max_allowed_parallelism))),
        arena(count) {}
  tbb::global_control allowed;  // oneTBB starts no more threads than there are cores unless told
  tbb::task_arena arena;
};

Threads::Threads(int count) : count_(count > 0 ? count : tbb::info::default_concurrency()) {
  if (count_ > 1) arena_ = std::make_unique<Arena>(count_);
}

Threads::~Threads() = default;

void Threads::run_all(int64_t tasks, Call call, const void* context) const {
  arena_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, tasks, 1),
        [&](const tbb::blocked_range<int64_t>& some) {
          for (int64_t task = some.begin(); task < some.end(); ++task) {
            call(context, task, tbb::this_task_arena::current_thread_index());
          }
        },
        tbb::simple_partitioner());
  });
}

#endif

}  // namespace flowqat::runtime
