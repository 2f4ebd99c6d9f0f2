/// The memory of the test device: the host's, which nobody may read or write but the device itself.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "tests/test_device/streams.h"

namespace flowqat::test_device {

/// Blocks of whole pages, closed by page protection: a host that reads one ends with SIGSEGV, as
/// one that reads a GPU's does. Thread-safe.
class Memory {
 public:
  static Memory& instance();
  /// Throws c10::OutOfMemoryError above the limit. Null for no bytes.
  void* allocate(size_t bytes);
  void release(void* block);
  /// Opens the block that `place` lies in, until it has been closed as often. Of other memory it
  /// knows nothing, and does nothing.
  ///
  /// Counts as unordered (counts.h) where the current stream is not behind the block's last use; so
  /// does release(), where memory might be given out again too early.
  void open(const void* place);
  void close(const void* place);
  /// open() in two: for whoever works on a stream in its own time, the first when that is asked
  /// for, the second when it is done.
  void use(const void* place);
  void unprotect(const void* place);
  /// The block is not to be given out again before what the stream has done by its release.
  void record(const void* block, c10::StreamId stream);

  /// What allocate() has given out and not got back, rounded to pages.
  size_t used_bytes() const;
  /// The most of it since the last reset_peak().
  size_t peak_bytes() const;
  void reset_peak();
  /// How much may be in use; 0: as much as there is.
  void set_limit_bytes(size_t limit);
  /// How often allocate() was asked for bytes.
  int64_t asked() const;
  /// Has the `number`-th from now on refused, counted from 1, and none after it; 0: none.
  void refuse(int64_t number);

 private:
  struct Block {
    size_t bytes = 0;
    int opened = 0;
    c10::StreamId owner = 0;  ///< the stream that it was allocated on
    Streams::Use last = {};
    std::set<c10::StreamId> recorded = {};
  };
  using Blocks = std::map<const std::byte*, Block>;
  Blocks::iterator block_of(const void* place);
  void give_back(void* block);

  mutable std::mutex lock_;
  Blocks blocks_;
  size_t used_ = 0, peak_ = 0, limit_ = 0;
  int64_t asked_ = 0, refused_ = 0;  ///< refused_: which of asked_; 0: none
};

/// While it lives, the blocks of the tensors given are open, once other libraries have done what
/// they were asked for on the current stream.
class Opened {
 public:
  Opened() = default;
  explicit Opened(std::initializer_list<at::Tensor> tensors) {
    for (const at::Tensor& tensor : tensors) add(tensor);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    for (const void* place : places_) Memory::instance().close(place);
  }
  void add(const at::Tensor& tensor);

 private:
  std::vector<const void*> places_;
};

/// The same memory as a tensor of the CPU's; only to be used while it is open.
at::Tensor on_cpu(const at::Tensor& tensor);

}  // namespace flowqat::test_device
