/// Internal to graph/: the only header beside stream.cpp that shows oneTBB.
#pragma once
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <functional>

#include "graph/pipeline.h"

namespace flowqat::graph {

/// Lowers the priority of every worker that joins the arena: they fill what the trainer leaves.
class LowPriority : public tbb::task_scheduler_observer {
 public:
  explicit LowPriority(tbb::task_arena& arena);
  ~LowPriority() override;
  void on_scheduler_entry(bool is_worker) override;
};

class DataThreads::Impl {
 public:
  explicit Impl(int threads);
  /// Runs `work` on one of the threads and waits for it. Throws what it throws, and RunError where
  /// no thread comes to do it.
  void run_inside(const std::function<void()>& work);

  int threads;
  // Workers are counted for the process and exclude the caller's thread, which never works here; by
  // default oneTBB would start one fewer than there are cores.
  tbb::global_control workers;
  tbb::task_arena arena;  ///< no slot reserved for the caller
  LowPriority low_priority;
};

}  // namespace flowqat::graph
