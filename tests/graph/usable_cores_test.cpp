#include "graph/usable_cores.h"

#include <sched.h>

#include <fstream>

#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("a quota of version 2 is the tightest of the group's own and its parents'") {
  const TemporaryFolder temporary;
  const fs::path self = temporary.path() / "self", mount = temporary.path() / "mount";
  write(self, "0::/jobs/one\n");
  CHECK(cgroup_cores(self, mount) == std::nullopt);
  write(mount / "jobs" / "one" / "cpu.max", "max 100000\n");
  CHECK(cgroup_cores(self, mount) == std::nullopt);
  write(mount / "jobs" / "one" / "cpu.max", "400000 100000\n");
  CHECK(cgroup_cores(self, mount) == 4.0);
  write(mount / "jobs" / "cpu.max", "150000 100000\n");
  CHECK(cgroup_cores(self, mount) == 1.5);
}

TEST_CASE("in a container the quota stands at the top of the mount") {
  const TemporaryFolder temporary;
  const fs::path self = temporary.path() / "self", mount = temporary.path() / "mount";
  write(self, "0::/a/path/of/the/host\n");
  write(mount / "cpu.max", "200000 100000\n");
  CHECK(cgroup_cores(self, mount) == 2.0);
}

TEST_CASE("a quota of version 1 is read where the cpu controller is") {
  const TemporaryFolder temporary;
  const fs::path self = temporary.path() / "self", mount = temporary.path() / "mount";
  write(self, "5:memory:/m\n4:cpu,cpuacct:/jobs\n3:cpuset:/c\n");
  const fs::path group = mount / "cpu,cpuacct" / "jobs";
  write(group / "cpu.cfs_period_us", "100000\n");
  write(group / "cpu.cfs_quota_us", "-1\n");
  CHECK(cgroup_cores(self, mount) == std::nullopt);
  write(group / "cpu.cfs_quota_us", "50000\n");
  CHECK(cgroup_cores(self, mount) == 0.5);
}

TEST_CASE("this process has a core, and no more than its affinity mask") {
  cpu_set_t set;
  REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
  CHECK(usable_cores() >= 1);
  CHECK(usable_cores() <= CPU_COUNT(&set));
}
