#include "graph/usable_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "graph/control_groups.h"

namespace flowqat::graph {
namespace fs = std::filesystem;

std::optional<double> cgroup_memory_bytes(const fs::path& self, const fs::path& mount) {
  std::optional<double> least;
  for_control_groups(self, mount, "memory", [&least](const fs::path& group, bool is_v2) {
    std::ifstream file(group / (is_v2 ? "memory.max" : "memory.limit_in_bytes"));
    double bytes = 0;  // "max", which is no number, for no limit; version 1 has a huge one for that
    if (file >> bytes && bytes > 0) least = least ? std::min(*least, bytes) : bytes;
  });
  return least;
}

double usable_memory_bytes(int processes) {
  double bytes =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto group = cgroup_memory_bytes("/proc/self/cgroup", "/sys/fs/cgroup");
  if (group) bytes = std::min(bytes, *group);
  bytes /= processes;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min(bytes, static_cast<double>(limit.rlim_cur));
  }
  return bytes;
}

std::string for_each_of(int processes) {
  if (processes == 1) return "";
  return " for each of the machine's " + std::to_string(processes) + " processes";
}

}  // namespace flowqat::graph
