/// How much memory this process may use: a container's limit counts, not the machine's size.
#pragma once
#include <filesystem>
#include <optional>

namespace flowqat::graph {

/// The machine's memory, and no more than a limit of the address space or of the control group
/// allows.
double usable_memory_bytes();

/// What the control groups listed in `self` (/proc/self/cgroup) grant below `mount`
/// (/sys/fs/cgroup), the tightest of the group's own and its parents' limits; none where there is
/// no limit. Reads version 2 (memory.max) and version 1 (memory.limit_in_bytes).
/// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
std::optional<double> cgroup_memory_bytes(const std::filesystem::path& self,
                                          const std::filesystem::path& mount);

}  // namespace flowqat::graph
