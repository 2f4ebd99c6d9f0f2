#include "model/torch/base/tensor_memory.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#if defined(__SANITIZE_ADDRESS__)
#define FLOWQAT_WATCHES_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLOWQAT_WATCHES_ADDRESSES 1
#endif
#endif

namespace flowqat::model {
namespace {

constexpr size_t kLeast = size_t{64} << 10;
constexpr size_t kPage = 4096;
/// Left free before the first and behind the last block: QNNPACK's kernels read some bytes beside
/// what they are given, as they may where malloc's own words are.
constexpr size_t kMargin = kPage;

size_t rounded_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

/// Never destroyed, as tensors may outlive all else.
BlockHeap& heap() {
  static auto* const one = new BlockHeap(2 * static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) *
                                         static_cast<size_t>(::sysconf(_SC_PAGESIZE)));
  return *one;
}

void free_tensor(void* block) {
  if (heap().holds(block)) {
    heap().give_back(block);
  } else {
    c10::free_cpu(block);
  }
}

class TensorAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes >= kLeast ? heap().take(bytes) : nullptr;
    if (block == nullptr) block = c10::alloc_cpu(bytes);  // throws where there is nothing left
    return {block, block, &free_tensor, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_tensor; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

BlockHeap::BlockHeap(size_t bytes) {
  const size_t size = rounded_up(bytes, kPage) + 2 * kMargin;
  void* const start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return;
  ::madvise(start, size, MADV_HUGEPAGE);  // a wish
  begin_ = static_cast<std::byte*>(start) + kMargin;
  capacity_ = size - 2 * kMargin;
  free_.emplace(0, capacity_);
}

BlockHeap::~BlockHeap() {
  if (capacity_ > 0) ::munmap(begin_ - kMargin, capacity_ + 2 * kMargin);
}

void* BlockHeap::take(size_t bytes) {
  const size_t size = rounded_up(std::max<size_t>(bytes, 1), kAlignment);
  const std::lock_guard lock(lock_);
  const auto hole =
      std::find_if(free_.begin(), free_.end(), [&](const auto& one) { return one.second >= size; });
  if (hole == free_.end()) return nullptr;
  const auto [offset, room] = *hole;
  free_.erase(hole);
  if (room > size) free_.emplace(offset + size, room - size);
  taken_.emplace(offset, size);
  return begin_ + offset;
}

bool BlockHeap::holds(const void* block) const {
  const auto* const at = static_cast<const std::byte*>(block);
  return capacity_ > 0 && at >= begin_ && at < begin_ + capacity_;
}

void BlockHeap::give_back(void* block) {
  const std::lock_guard lock(lock_);
  const auto taken = taken_.find(static_cast<size_t>(static_cast<std::byte*>(block) - begin_));
  auto hole = free_.emplace(*taken).first;
  taken_.erase(taken);
  if (const auto next = std::next(hole);
      next != free_.end() && hole->first + hole->second == next->first) {
    hole->second += next->second;
    free_.erase(next);
  }
  if (hole == free_.begin()) return;
  if (const auto before = std::prev(hole); before->first + before->second == hole->first) {
    before->second += hole->second;
    free_.erase(hole);
  }
}

void BlockHeap::release() {
  const std::lock_guard lock(lock_);
  for (const auto& [offset, size] : free_) {
    const size_t first = rounded_up(offset, kPage), last = (offset + size) / kPage * kPage;
    if (first < last) ::madvise(begin_ + first, last - first, MADV_DONTNEED);
  }
}

size_t BlockHeap::taken() const {
  const std::lock_guard lock(lock_);
  size_t sum = 0;
  for (const auto& [offset, size] : taken_) sum += size;
  return sum;
}

void use_tensor_heap() {
#ifndef FLOWQAT_WATCHES_ADDRESSES
  // The rest stays with the C library's heap too; what is below 64 KiB leaves small holes.
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  if (heap().capacity() == 0) return;
  static TensorAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
#endif
}

size_t tensor_heap_bytes() { return heap().taken(); }

void release_tensor_heap() { heap().release(); }

}  // namespace flowqat::model
