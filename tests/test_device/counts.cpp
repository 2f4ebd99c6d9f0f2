#include "tests/test_device/counts.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>
#include <vector>

#include "tests/test_device/streams.h"

namespace flowqat::test_device {
namespace {

std::mutex lock;
Counts counted;

std::string line(const std::string& name, const OperatorCounts& sums) {
  char text[160];
  std::snprintf(text, sizeof text, "%-64s %8lld %12.3f %8lld\n", name.c_str(),
                static_cast<long long>(sums.launches), 1e-6 * static_cast<double>(sums.bytes),
                static_cast<long long>(sums.synchronizations));
  return text;
}

}  // namespace

Counts counts() {
  const std::lock_guard guard(lock);
  return counted;
}

void reset_counts() {
  const std::lock_guard guard(lock);
  counted = {};
}

std::string profile(const Counts& counts) {
  std::vector<std::pair<std::string, OperatorCounts>> operators(counts.operators.begin(),
                                                                counts.operators.end());
  std::ranges::stable_sort(operators, std::greater(),
                           [](const auto& entry) { return entry.second.launches; });
  char text[200];
  std::snprintf(text, sizeof text, "%-64s %8s %12s %8s\n", "operator", "launches", "MB", "waits");
  std::string all = text;
  for (const auto& [name, sums] : operators) all += line(name, sums);
  all += line("all", {counts.launches, counts.bytes, counts.synchronizations});
  std::snprintf(text, sizeof text,
                "copies to the device: %lld (%.3f MB), to the host: %lld (%.3f MB)\n",
                static_cast<long long>(counts.copies_to_device),
                1e-6 * static_cast<double>(counts.bytes_to_device),
                static_cast<long long>(counts.copies_to_host),
                1e-6 * static_cast<double>(counts.bytes_to_host));
  return all + text;
}

void count_launch(const std::string& name, int64_t bytes) {
  const std::lock_guard guard(lock);
  OperatorCounts& sums = counted.operators[name];
  ++sums.launches;
  sums.bytes += bytes;
  ++counted.launches;
  counted.bytes += bytes;
}

void count_synchronization(const std::string& name) {
  const std::lock_guard guard(lock);
  ++counted.operators[name].synchronizations;
  ++counted.synchronizations;
}

void count_copy_to_device(int64_t bytes) {
  const std::lock_guard guard(lock);
  ++counted.copies_to_device;
  if (Streams::current() != 0) ++counted.copies_beside;
  counted.bytes_to_device += bytes;
}

void count_copy_to_host(int64_t bytes) {
  const std::lock_guard guard(lock);
  ++counted.copies_to_host;
  counted.bytes_to_host += bytes;
}

void count_unordered(const std::string& what) {
  const std::lock_guard guard(lock);
  ++counted.operators["unordered " + what].launches;
  ++counted.unordered;
}

void count_emptied_cache() {
  const std::lock_guard guard(lock);
  ++counted.cache_emptied;
}

}  // namespace flowqat::test_device

extern "C" int64_t flowqat_test_device_count(const char* what) {
  using namespace flowqat::test_device;
  const Counts all = counts();
  const std::string name = what;
  if (name == "reset") reset_counts();
  if (name == "synchronizations") return all.synchronizations;
  if (name == "copies_to_device") return all.copies_to_device;
  if (name == "copies_to_host") return all.copies_to_host;
  if (name == "unordered") return all.unordered;
  return all.launches;
}
