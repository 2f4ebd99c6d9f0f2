/// How many cores this process may use: a container's limit counts, not the machine's size.
#pragma once
#include <filesystem>
#include <optional>

namespace flowqat::graph {

/// The affinity mask, and no more than the CPU quota of the control group allows, rounded up. At
/// least 1.
int usable_cores();

/// Cores that the control groups listed in `self` (/proc/self/cgroup) grant below `mount`
/// (/sys/fs/cgroup), the tightest of the group's own and its parents' quotas; none where there is
/// no quota. Reads version 2 (cpu.max) and version 1 (cpu.cfs_quota_us and cpu.cfs_period_us).
/// https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
std::optional<double> cgroup_cores(const std::filesystem::path& self,
                                   const std::filesystem::path& mount);

}  // namespace flowqat::graph
