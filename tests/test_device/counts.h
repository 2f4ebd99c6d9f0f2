/// What the test device was asked to do: launches, bytes, copies, and how often the host waited.
#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace flowqat::test_device {

struct OperatorCounts {
  int64_t launches = 0;
  int64_t bytes = 0;             ///< of the operands and results, read and written once
  int64_t synchronizations = 0;  ///< the host waits for all that was launched before
};

struct Counts {
  int64_t launches = 0, bytes = 0, synchronizations = 0;  ///< of all operators
  int64_t copies_to_device = 0, bytes_to_device = 0;
  int64_t copies_beside = 0;  ///< of those, on another stream than the default one
  int64_t copies_to_host = 0, bytes_to_host = 0;
  int64_t cache_emptied = 0;
  /// Memory used, or given out again, by a stream that had not waited for another's use of it.
  int64_t unordered = 0;
  std::map<std::string, OperatorCounts> operators;  ///< by name, such as "aten::mul.out"
};

/// Since the last reset_counts(), of all threads.
Counts counts();
void reset_counts();

/// Operators by launches, a line each, and the sums.
std::string profile(const Counts& counts);

/// What the device itself tells.
void count_launch(const std::string& name, int64_t bytes);
void count_synchronization(const std::string& name);
void count_copy_to_device(int64_t bytes);
void count_copy_to_host(int64_t bytes);
void count_emptied_cache();
void count_unordered(const std::string& what);

}  // namespace flowqat::test_device

/// For programs that the device is preloaded into: "synchronizations", "copies_to_device",
/// "copies_to_host", "unordered" or "launches" since it was last called with "reset".
extern "C" int64_t flowqat_test_device_count(const char* what);
