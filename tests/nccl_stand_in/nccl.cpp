// Stands in for NCCL where there is no GPU: its functions, for processes of one machine whose
// tensors are on the test device. They exchange through a file in /dev/shm that all map.
//
// As NCCL's do, collectives come back at once and are done on their stream; one that waits for a
// peer waits for good, whether that has ended or not, until the communicator is aborted. Values are
// added in the order of ranks.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "tests/test_device/memory.h"
#include "tests/test_device/queues.h"
#include "tests/test_device/streams.h"

namespace {

using namespace flowqat::test_device;

constexpr int kSuccess = 0, kSystemError = 2, kInvalidArgument = 4, kInvalidUsage = 5;
constexpr int kMostRanks = 16;
constexpr size_t kChunkBytes = size_t{1} << 18;

struct Id {
  char bytes[128];
};

/// What a rank brings to a step of a collective.
struct Part {
  std::atomic<int64_t> arrived;
  int64_t operation, type, root, bytes;
  std::byte values[kChunkBytes];
};

struct Shared {
  std::atomic<int> joined;
  Part parts[kMostRanks];
};

struct Communicator {
  Shared* shared;
  int rank, size;
  int64_t steps = 0;
  std::atomic<bool> aborted = false;
  std::atomic<int> error = kSuccess;
};

enum Operation : int64_t { sum = 0, largest = 2, smallest = 3, from_root = 100 };

size_t bytes_of(int type) {
  constexpr size_t kBytes[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2};
  return type >= 0 && type < 10 ? kBytes[type] : 0;
}

/// Whether all have come that far; false when it was aborted.
bool all_arrive(Communicator& communicator) {
  ++communicator.steps;
  Part* const parts = communicator.shared->parts;
  parts[communicator.rank].arrived.store(communicator.steps, std::memory_order_release);
  for (int other = 0; other < communicator.size; ++other) {
    while (parts[other].arrived.load(std::memory_order_acquire) < communicator.steps) {
      if (communicator.aborted) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }
  return true;
}

template <class Value>
void reduce(Value* into, const Value* other, size_t count, int64_t operation) {
  for (size_t i = 0; i < count; ++i) {
    into[i] = operation == sum       ? static_cast<Value>(into[i] + other[i])
              : operation == largest ? std::max(into[i], other[i])
                                     : std::min(into[i], other[i]);
  }
}

void reduce(std::byte* into, const std::byte* other, size_t bytes, int type, int64_t operation) {
  const auto as = [&](auto value) {
    using Value = decltype(value);
    reduce(reinterpret_cast<Value*>(into), reinterpret_cast<const Value*>(other),
           bytes / sizeof(Value), operation);
  };
  switch (type) {
    case 1:
      return as(uint8_t{});
    case 2:
      return as(int32_t{});
    case 4:
      return as(int64_t{});
    case 7:
      return as(float{});
    default:
      return as(double{});
  }
}

/// Of a variable RANK:NUMBER, whether this is that rank's collective of that number.
bool is_told(const char* variable, int rank, int number) {
  const char* const told = std::getenv(variable);
  int who = -1, when = -1;
  return told && std::sscanf(told, "%d:%d", &who, &when) == 2 && who == rank && when == number;
}

/// What a test wants to go wrong here.
void go_wrong_where_told(const Communicator& communicator) {
  static std::atomic<int> collectives = 0;
  const int number = ++collectives;
  if (is_told("FLOWQAT_STAND_IN_DIES", communicator.rank, number)) std::raise(SIGKILL);
  if (is_told("FLOWQAT_STAND_IN_HANGS", communicator.rank, number)) {
    while (!communicator.aborted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// One collective, on the stream.
void exchange(Communicator& communicator, std::byte* values, size_t bytes, int type,
              int64_t operation, int root) {
  go_wrong_where_told(communicator);
  Memory::instance().unprotect(values);
  Part* const parts = communicator.shared->parts;
  for (size_t at = 0; at < bytes; at += kChunkBytes) {
    const size_t count = std::min(kChunkBytes, bytes - at);
    Part& own = parts[communicator.rank];
    own.operation = operation;
    own.type = type;
    own.root = root;
    own.bytes = static_cast<int64_t>(bytes);
    if (operation != from_root || root == communicator.rank) {
      std::memcpy(own.values, values + at, count);
    }
    if (!all_arrive(communicator)) break;
    for (int other = 0; other < communicator.size; ++other) {
      const Part& its = parts[other];
      if (its.operation != operation || its.type != type || its.root != root ||
          its.bytes != static_cast<int64_t>(bytes)) {
        communicator.error = kInvalidUsage;  // NCCL would hang, or mix them up
      }
    }
    std::memcpy(values + at, parts[operation == from_root ? root : 0].values, count);
    for (int other = 1; operation != from_root && other < communicator.size; ++other) {
      reduce(values + at, parts[other].values, count, type, operation);
    }
    if (!all_arrive(communicator)) break;
  }
  Memory::instance().close(values);
}

int enqueue(Communicator* communicator, const void* from, void* to, size_t count, int type,
            int64_t operation, int root, const void* stream) {
  if (from != to || bytes_of(type) == 0) return kInvalidArgument;
  const c10::StreamId before = Streams::exchange(stream_of(stream));
  Memory::instance().use(to);
  Streams::exchange(before);
  Queues::instance().enqueue(stream_of(stream), [=] {
    exchange(*communicator, static_cast<std::byte*>(to), count * bytes_of(type), type, operation,
             root);
  });
  return kSuccess;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the names are NCCL's.
extern "C" {

int ncclGetVersion(int* version) {
  *version = 0;
  return kSuccess;
}

int ncclGetUniqueId(Id* id) {
  static std::atomic<int> made = 0;
  std::memset(id, 0, sizeof *id);
  std::snprintf(id->bytes, sizeof id->bytes, "/dev/shm/flowqat-nccl-%d-%d",
                static_cast<int>(::getpid()), made++);
  const int file = ::open(id->bytes, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (file < 0) return kSystemError;
  const bool grown = ::ftruncate(file, sizeof(Shared)) == 0;
  ::close(file);
  return grown ? kSuccess : kSystemError;
}

int ncclCommInitRank(Communicator** communicator, int size, Id id, int rank) {
  if (size > kMostRanks || rank >= size) return kInvalidArgument;
  const int file = ::open(id.bytes, O_RDWR);
  if (file < 0) return kSystemError;
  void* const place = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (place == MAP_FAILED) return kSystemError;
  auto* const shared = static_cast<Shared*>(place);
  if (shared->joined.fetch_add(1) + 1 == size) ::unlink(id.bytes);
  while (shared->joined < size) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  *communicator = new Communicator{shared, rank, size};
  return kSuccess;
}

int ncclCommDestroy(Communicator* communicator) {
  ::munmap(communicator->shared, sizeof(Shared));
  delete communicator;
  return kSuccess;
}

/// What waits on the stream may still look at it.
int ncclCommAbort(Communicator* communicator) {
  communicator->aborted = true;
  return kSuccess;
}

int ncclCommGetAsyncError(Communicator* communicator, int* result) {
  *result = communicator->error;
  return kSuccess;
}

const char* ncclGetErrorString(int result) {
  switch (result) {
    case kSystemError:
      return "unhandled system error";
    case kInvalidArgument:
      return "invalid argument";
    case kInvalidUsage:
      return "invalid usage: the ranks did not call the same collective";
    default:
      return "error of the stand-in for NCCL";
  }
}

int ncclAllReduce(const void* from, void* to, size_t count, int type, int operation,
                  Communicator* communicator, void* stream) {
  return enqueue(communicator, from, to, count, type, operation, 0, stream);
}

int ncclBroadcast(const void* from, void* to, size_t count, int type, int root,
                  Communicator* communicator, void* stream) {
  return enqueue(communicator, from, to, count, type, from_root, root, stream);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
