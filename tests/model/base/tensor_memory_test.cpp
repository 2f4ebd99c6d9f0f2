// The heap of large tensors: what it hands out never overlaps, and what is free is one again.
#include "model/torch/base/tensor_memory.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "model/model.h"
#include "tests/catch.h"

using flowqat::model::BlockHeap;

namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

}  // namespace

TEST_CASE("what a step frees is whole for the next, whatever its lengths") {
  BlockHeap heap(64 * kMegabyte);
  REQUIRE(heap.capacity() >= 64 * kMegabyte);
  std::mt19937 random(1);
  void* first = nullptr;
  for (int step = 0; step < 100; ++step) {
    std::vector<void*> blocks;
    while (void* const block = heap.take(100'000 + random() % kMegabyte)) blocks.push_back(block);
    if (step == 0) first = blocks.front();
    CHECK(blocks.front() == first);  // the lowest addresses again
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (void* const block : blocks) heap.give_back(block);
    CHECK(heap.taken() == 0);
  }
  void* const all = heap.take(heap.capacity());  // one block, so there are no holes
  REQUIRE(all != nullptr);
  CHECK(heap.take(1) == nullptr);
  heap.give_back(all);
}

TEST_CASE("blocks of several threads keep what is written into them") {
  BlockHeap heap(256 * kMegabyte);
  const auto work = [&](unsigned char mark) {
    std::mt19937 random(mark);
    for (int i = 0; i < 500; ++i) {
      const size_t bytes = 1 + random() % 300'000;
      auto* const block = static_cast<unsigned char*>(heap.take(bytes));
      std::memset(block, mark, bytes);
      std::this_thread::yield();
      if (!std::all_of(block, block + bytes, [&](unsigned char c) { return c == mark; })) {
        throw std::runtime_error("another thread wrote here");
      }
      heap.give_back(block);
    }
  };
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (unsigned char mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&, mark] {
      try {
        work(mark);
      } catch (const std::exception&) {
        ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(heap.taken() == 0);
}

TEST_CASE("memory that was given to the kernel comes back as zeros, other stays") {
  BlockHeap heap(16 * kMegabyte);
  auto* const kept = static_cast<char*>(heap.take(4 * kMegabyte));
  auto* const freed = static_cast<char*>(heap.take(8 * kMegabyte));
  std::memset(kept, 1, 4 * kMegabyte);
  std::memset(freed, 1, 8 * kMegabyte);
  heap.give_back(freed);
  heap.release();
  CHECK(std::all_of(kept, kept + 4 * kMegabyte, [](char c) { return c == 1; }));
  auto* const again = static_cast<char*>(heap.take(8 * kMegabyte));
  CHECK(again == freed);
  CHECK(std::all_of(again, again + 8 * kMegabyte, [](char c) { return c == 0; }));
}

TEST_CASE("what lies just beside the first and the last block can be read") {
  BlockHeap heap(kMegabyte);
  const auto* const all = static_cast<const volatile char*>(heap.take(heap.capacity()));
  int sum = 0;
  for (std::ptrdiff_t beside = 1; beside <= 64; ++beside) sum += all[-beside];
  for (size_t behind = 0; behind < 64; ++behind) sum += all[heap.capacity() + behind];
  CHECK(sum == 0);
}

TEST_CASE("large tensors lie at their alignment, and grow and shrink as ever") {
  flowqat::model::engine().configure({.device = "cpu", .threads = 1});
  at::Tensor x = at::ones({1 << 20});
  CHECK(reinterpret_cast<uintptr_t>(x.data_ptr()) % 64 == 0);
  x.resize_({3 << 20});
  x.slice(0, 1 << 20).fill_(2);
  CHECK(x.sum().item<double>() == (1 << 20) + 2.0 * (2 << 20));
  x.resize_({16});
  CHECK(x.sum().item<double>() == 16);
}
