#include "graph/sample_buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace flowqat::graph {
namespace {

constexpr size_t fewest_mapped_bytes = 128 << 10;

/// Rounded up by at most a sixteenth, so that buffers of about the same length fit one another.
size_t rounded(size_t samples) {
  const size_t step = std::max<size_t>(std::bit_floor(samples) / 16, 1);
  return (samples + step - 1) / step * step;
}

}  // namespace

void* take_pages(size_t bytes) {
  if (bytes < fewest_mapped_bytes) return ::operator new(bytes);
  void* begin = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  return begin;
}

void give_back_pages(void* begin, size_t bytes) {
  if (bytes < fewest_mapped_bytes) {
    ::operator delete(begin);
  } else {
    ::munmap(begin, bytes);
  }
}

SampleBuffer SampleBuffers::take(size_t samples) {
  const size_t capacity = rounded(samples);
  SampleBuffer buffer;
  {
    const std::lock_guard lock(mutex_);
    const auto fits = [&](const SampleBuffer& unused) {
      return unused.capacity() >= samples && unused.capacity() <= 2 * capacity;
    };
    const auto found = std::find_if(unused_.begin(), unused_.end(), fits);
    if (found != unused_.end()) {
      unused_samples_ -= found->capacity();
      std::swap(*found, unused_.back());
      buffer = std::move(unused_.back());
      unused_.pop_back();
    }
    used_samples_ += std::max(buffer.capacity(), capacity);
    most_used_samples_ = std::max(most_used_samples_, used_samples_);
    while (!unused_.empty() && used_samples_ + unused_samples_ > most_used_samples_) {
      unused_samples_ -= unused_.back().capacity();
      unused_.pop_back();
    }
  }
  if (buffer.capacity() < samples) buffer.reserve(capacity);
  buffer.resize(samples);
  return buffer;
}

void SampleBuffers::give_back(SampleBuffer buffer) {
  // One without memory is of no use to anyone: kept, they would grow into a list without end.
  if (buffer.capacity() == 0) return;
  const std::lock_guard lock(mutex_);
  used_samples_ -= buffer.capacity();
  if (used_samples_ + unused_samples_ + buffer.capacity() > most_used_samples_) return;
  buffer.clear();
  unused_samples_ += buffer.capacity();
  unused_.push_back(std::move(buffer));
}

size_t SampleBuffers::unused() const {
  const std::lock_guard lock(mutex_);
  return unused_.size();
}

}  // namespace flowqat::graph
