#include "runtime/compute/memory.h"

#include <atomic>
#include <vector>

#include "runtime/compute/threads.h"
#include "tests/catch.h"

using namespace flowqat::runtime;

TEST_CASE("a second run of one length takes the memory that the first one took") {
  Stack stack;
  const auto run = [&] {
    float* const first = stack.take<float>(300000);
    {
      const Scope scope(stack);
      stack.take<uint8_t>(5000000);
    }
    uint8_t* const second = stack.take<uint8_t>(700);
    second[699] = 1;
    first[299999] = 1;
    CHECK(reinterpret_cast<uintptr_t>(first) % 64 == 0);
    CHECK(reinterpret_cast<uintptr_t>(second) % 64 == 0);
    stack.clear();
  };
  run();
  const size_t after_first = stack.bytes();
  for (int i = 0; i < 5; ++i) run();
  CHECK(stack.bytes() == after_first);
}

TEST_CASE("what a scope took is handed out again") {
  Stack stack;
  stack.take<int>(10);
  int* taken = nullptr;
  {
    const Scope scope(stack);
    taken = stack.take<int>(10);
  }
  CHECK(stack.take<int>(10) == taken);
}

TEST_CASE("every task runs once, and no two at a time in one slot") {
  for (const int count : {1, 2, 5}) {
    const Threads threads(count);
    REQUIRE(threads.count() == count);
    std::vector<std::atomic<int>> runs(1000), busy(static_cast<size_t>(count));
    std::atomic<bool> shared = false;
    threads.run(1000, [&](int64_t task, int slot) {
      if (busy[static_cast<size_t>(slot)]++ != 0) shared = true;
      ++runs[static_cast<size_t>(task)];
      --busy[static_cast<size_t>(slot)];
    });
    CHECK_FALSE(shared);
    for (const auto& run : runs) CHECK(run == 1);
  }
}
