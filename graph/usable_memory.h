/// How much memory this process may use: a container's limit counts, not the machine's size.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace flowqat::graph {

/// This process's part of the machine's memory where it shares that with others alike, `processes`
/// in all; and no more than a limit of the address space, or its part of the control group's limit,
/// allows.
double usable_memory_bytes(int processes = 1);
/// " for each of the machine's 2 processes", behind what is there; empty for one.
std::string for_each_of(int processes);

/// What the control groups listed in `self` (/proc/self/cgroup) grant below `mount`
/// (/sys/fs/cgroup), the tightest of the group's own and its parents' limits; none where there is
/// no limit. Reads version 2 (memory.max) and version 1 (memory.limit_in_bytes).
/// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
std::optional<double> cgroup_memory_bytes(const std::filesystem::path& self,
                                          const std::filesystem::path& mount);

}  // namespace flowqat::graph
