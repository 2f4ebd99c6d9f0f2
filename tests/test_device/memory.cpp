#include "tests/test_device/memory.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "tests/test_device/counts.h"
#include "tests/test_device/queues.h"

namespace flowqat::test_device {
namespace {

size_t in_pages(size_t bytes) {
  static const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

void protect(const std::byte* block, size_t bytes, int access) {
  TORCH_CHECK(::mprotect(const_cast<std::byte*>(block), bytes, access) == 0,
              "test device: mprotect failed");
}

const void* place_of(const at::Tensor& tensor) { return tensor.storage().data(); }

}  // namespace

Memory& Memory::instance() {
  static auto* const memory = new Memory;  // tensors may outlive all else
  return *memory;
}

void* Memory::allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  const size_t whole = in_pages(bytes);
  const std::lock_guard lock(lock_);
  const bool is_refused = ++asked_ == refused_;
  TORCH_CHECK_WITH(OutOfMemoryError, !is_refused && (limit_ == 0 || used_ + whole <= limit_),
                   "test device out of memory. Tried to allocate ", bytes, " bytes, ", used_,
                   " are in use");
  void* const block =
      ::mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TORCH_CHECK_WITH(OutOfMemoryError, block != MAP_FAILED, "test device: mmap failed");
  blocks_[static_cast<const std::byte*>(block)] = {.bytes = whole, .owner = Streams::current()};
  used_ += whole;
  peak_ = std::max(peak_, used_);
  return block;
}

void Memory::release(void* block) {
  if (!block) return;
  std::unique_lock lock(lock_);
  const auto found = blocks_.find(static_cast<const std::byte*>(block));
  if (found == blocks_.end()) return;
  const Block& its = found->second;
  if (!its.recorded.contains(its.last.stream) &&
      !Streams::instance().is_behind(its.owner, its.last)) {
    count_unordered("release");
  }
  // Behind what those streams have been asked for, one of which waits for the others.
  const std::set<c10::StreamId> streams = its.recorded;
  lock.unlock();
  if (streams.empty()) return give_back(block);
  Queues& queues = Queues::instance();
  for (const c10::StreamId other : streams) {
    const int64_t count = queues.asked(other);
    if (queues.is_done(other, count)) continue;
    queues.enqueue(*streams.begin(), [&queues, other, count] { queues.wait(other, count); });
  }
  if (queues.is_done(*streams.begin(), queues.asked(*streams.begin()))) return give_back(block);
  queues.enqueue(*streams.begin(), [this, block] { give_back(block); });
}

void Memory::give_back(void* block) {
  const std::lock_guard lock(lock_);
  const auto found = blocks_.find(static_cast<const std::byte*>(block));
  used_ -= found->second.bytes;
  ::munmap(block, found->second.bytes);
  blocks_.erase(found);
}

Memory::Blocks::iterator Memory::block_of(const void* place) {
  const auto* const at = static_cast<const std::byte*>(place);
  auto block = blocks_.upper_bound(at);
  if (block == blocks_.begin()) return blocks_.end();
  --block;
  return at < block->first + block->second.bytes ? block : blocks_.end();
}

void Memory::open(const void* place) {
  use(place);
  unprotect(place);
}

void Memory::use(const void* place) {
  const std::lock_guard lock(lock_);
  const auto block = block_of(place);
  if (block == blocks_.end()) return;
  if (!Streams::instance().is_behind(Streams::current(), block->second.last)) {
    count_unordered("use");
  }
  block->second.last = Streams::instance().launch();
}

void Memory::unprotect(const void* place) {
  const std::lock_guard lock(lock_);
  const auto block = block_of(place);
  if (block == blocks_.end()) return;
  if (block->second.opened++ == 0) {
    protect(block->first, block->second.bytes, PROT_READ | PROT_WRITE);
  }
}

void Memory::record(const void* block, c10::StreamId stream) {
  const std::lock_guard lock(lock_);
  const auto found = block_of(block);
  if (found != blocks_.end()) found->second.recorded.insert(stream);
}

void Memory::close(const void* place) {
  const std::lock_guard lock(lock_);
  const auto block = block_of(place);
  if (block == blocks_.end()) return;
  if (--block->second.opened == 0) protect(block->first, block->second.bytes, PROT_NONE);
}

size_t Memory::used_bytes() const {
  const std::lock_guard lock(lock_);
  return used_;
}

size_t Memory::peak_bytes() const {
  const std::lock_guard lock(lock_);
  return peak_;
}

void Memory::reset_peak() {
  const std::lock_guard lock(lock_);
  peak_ = used_;
}

void Memory::set_limit_bytes(size_t limit) {
  const std::lock_guard lock(lock_);
  limit_ = limit;
}

int64_t Memory::asked() const {
  const std::lock_guard lock(lock_);
  return asked_;
}

void Memory::refuse(int64_t number) {
  const std::lock_guard lock(lock_);
  refused_ = number > 0 ? asked_ + number : 0;
}

void Opened::add(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_privateuseone() || !tensor.has_storage()) return;
  const void* const place = place_of(tensor);
  if (!place) return;
  Queues::instance().wait(Streams::current());
  Memory::instance().open(place);
  places_.push_back(place);
}

at::Tensor on_cpu(const at::Tensor& tensor) {
  if (!tensor.is_privateuseone()) return tensor;
  const at::TensorOptions options = tensor.options().device(at::kCPU).requires_grad(false);
  // Without elements it is a tensor of its own, which operators may make larger.
  if (tensor.numel() == 0) return at::empty(tensor.sizes(), options);
  auto* const begin = static_cast<std::byte*>(tensor.storage().mutable_data());
  return at::from_blob(begin + static_cast<size_t>(tensor.storage_offset()) * tensor.itemsize(),
                       tensor.sizes(), tensor.strides(), options);
}

}  // namespace flowqat::test_device
