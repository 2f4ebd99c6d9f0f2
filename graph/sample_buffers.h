/// Memory for samples, used again and again: fresh pages from the kernel and clearing what is
/// overwritten anyway cost a tenth of the data side's time.
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace flowqat::graph {

/// Memory from the kernel itself, where it is much: the C library would keep what it is given back
/// in as many heaps as there are threads, and grow with the time that it runs. Throws
/// std::bad_alloc.
void* take_pages(size_t bytes);
void give_back_pages(void* begin, size_t bytes);

/// Leaves new elements unset where std::allocator would clear them.
template <class T>
struct UnsetAllocator : std::allocator<T> {
  T* allocate(size_t count) { return static_cast<T*>(take_pages(count * sizeof(T))); }
  void deallocate(T* begin, size_t count) { give_back_pages(begin, count * sizeof(T)); }
  template <class U>
  struct rebind {
    using other = UnsetAllocator<U>;
  };
  template <class U>
  void construct(U* place) {
    ::new (static_cast<void*>(place)) U;
  }
  template <class U, class... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    ::new (static_cast<void*>(place)) U(std::forward<Arguments>(arguments)...);
  }
};
using SampleBuffer = std::vector<float, UnsetAllocator<float>>;

/// Thread-safe. Holds no more memory, used and unused together, than was used at once before.
class SampleBuffers {
 public:
  /// A buffer of `samples` samples with any content.
  SampleBuffer take(size_t samples);
  void give_back(SampleBuffer buffer);
  /// How many wait to be taken.
  size_t unused() const;

 private:
  mutable std::mutex mutex_;
  std::vector<SampleBuffer> unused_;
  size_t unused_samples_ = 0, used_samples_ = 0, most_used_samples_ = 0;  ///< by capacity
};

}  // namespace flowqat::graph
