/// Where large tensors of the CPU lie: in one stretch of addresses that belongs to them alone.
///
/// A step frees what the next one asks for again. The C library would return it to the kernel in
/// between, and its pages would be cleared and faulted in anew each time, a quarter of a small
/// model's step; told to keep it, it lets what lives long (oneDNN's primitives for a batch's
/// lengths) lie among what a step needs, until batches of other lengths find no hole that is large
/// enough. Here all that is free at a step's end lies side by side, so memory stays as large as the
/// largest step, and its pages can be large ones.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>

namespace flowqat::model {

/// A stretch of addresses and who holds which of them. Thread-safe.
class BlockHeap {
 public:
  /// Addresses for `bytes`, of which the kernel gives a page when it is first written to. Where it
  /// has none to give, capacity() is 0.
  explicit BlockHeap(size_t bytes);
  ~BlockHeap();
  BlockHeap(const BlockHeap&) = delete;
  BlockHeap& operator=(const BlockHeap&) = delete;

  /// At the lowest addresses that are free for it, aligned as kAlignment says; null where there are
  /// none.
  void* take(size_t bytes);
  bool holds(const void* block) const;
  /// Of a block that take() gave. Its pages stay with the process.
  void give_back(void* block);
  /// Returns the pages of all that is free to the kernel.
  void release();

  size_t capacity() const { return capacity_; }
  size_t taken() const;

  static constexpr size_t kAlignment = 256;

 private:
  std::byte* begin_ = nullptr;
  size_t capacity_ = 0;
  mutable std::mutex lock_;
  std::map<size_t, size_t> free_, taken_;  ///< offset to size; neighbours in free_ do not touch
};

/// Has LibTorch take tensors of 64 KiB and more from such a heap, from here on; once a process. Not
/// under a sanitizer, which would no longer see where they end.
void use_tensor_heap();

/// What tensors hold of it, in bytes.
size_t tensor_heap_bytes();

/// Returns what is free of it to the kernel, where a long time of other work begins.
void release_tensor_heap();

}  // namespace flowqat::model
