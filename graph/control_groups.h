#pragma once
#include <filesystem>
#include <functional>
#include <string>

namespace flowqat::graph {

/// Calls with the folder of every control group that this process is in for `controller` ("cpu"),
/// and with those above it, as `self` (/proc/self/cgroup) lists them below `mount`
/// (/sys/fs/cgroup); `is_v2`: of version 2, which has one group for all controllers.
void for_control_groups(
    const std::filesystem::path& self, const std::filesystem::path& mount,
    const std::string& controller,
    const std::function<void(const std::filesystem::path& group, bool is_v2)>& call);

}  // namespace flowqat::graph
