/// The threads of an inference: the program's one exception from leaving oneTBB to graph/.
#pragma once
#include <cstdint>
#include <memory>

namespace flowqat::runtime {

/// Work in tasks, each of which comes out the same whichever thread does it. Several threads may
/// run() at once, and then share the workers.
class Threads {
 public:
  /// `count` threads, the caller's among them; 0: as many as cores that this process may use.
  explicit Threads(int count);
  ~Threads();
  int count() const { return count_; }

  /// Calls work(task, slot) for each task from 0 to `tasks` and waits for all. No two tasks of one
  /// run() are at work in a slot, 0 to count() - 1, at the same time.
  template <class Work>
  void run(int64_t tasks, const Work& work) const {
    if (count_ == 1 || tasks <= 1) {
      for (int64_t task = 0; task < tasks; ++task) work(task, 0);
      return;
    }
    run_all(
        tasks,
        [](const void* context, int64_t task, int slot) {
          (*static_cast<const Work*>(context))(task, slot);
        },
        &work);
  }

 private:
  struct Arena;
  using Call = void (*)(const void* context, int64_t task, int slot);
  void run_all(int64_t tasks, Call call, const void* context) const;

  int count_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace flowqat::runtime
