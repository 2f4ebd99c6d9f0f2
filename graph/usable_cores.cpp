#include "graph/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "graph/control_groups.h"

namespace flowqat::graph {
namespace {

namespace fs = std::filesystem;

/// Version 2: "max 100000" or "150000 100000", quota and period in microseconds.
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota_us = 0, period_us = 0;
  if (file >> quota_us >> period_us && quota_us > 0 && period_us > 0) return quota_us / period_us;
  return std::nullopt;
}

/// Version 1: one number a file, a quota of -1 for none.
std::optional<double> quota_v1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota_us = 0, period_us = 0;
  if (quota_file >> quota_us && period_file >> period_us && quota_us > 0 && period_us > 0) {
    return quota_us / period_us;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> cgroup_cores(const fs::path& self, const fs::path& mount) {
  std::optional<double> least;
  const auto count = [&least](std::optional<double> cores) {
    if (cores) least = least ? std::min(*least, *cores) : cores;
  };
  for_control_groups(self, mount, "cpu", [&](const fs::path& group, bool is_v2) {
    count(is_v2 ? quota_v2(group) : quota_v1(group));
  });
  return least;
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  const auto quota = cgroup_cores("/proc/self/cgroup", "/sys/fs/cgroup");
  if (!quota) return cores;
  return std::clamp(static_cast<int>(std::ceil(*quota)), 1, cores);
}

}  // namespace flowqat::graph
