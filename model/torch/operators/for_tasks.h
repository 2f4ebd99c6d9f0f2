#pragma once
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace flowqat::model {

/// Calls work(task) for each task from 0 to `count` on LibTorch's threads, each of which takes the
/// next one when it is free: where another program takes a core away, the others do its share. For
/// work that comes out the same whichever thread does it.
template <class Work>
void for_tasks(int64_t count, const Work& work) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(count, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (int64_t task = next++; task < count; task = next++) work(task);
  });
}

}  // namespace flowqat::model
