#include "graph/control_groups.h"

#include <fstream>

namespace flowqat::graph {

namespace fs = std::filesystem;

void for_control_groups(const fs::path& self, const fs::path& mount, const std::string& controller,
                        const std::function<void(const fs::path& group, bool is_v2)>& call) {
  std::ifstream file(self);
  for (std::string line; std::getline(file, line);) {  // "ID:CONTROLLERS:/GROUP"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool is_v2 = controllers == ",,";
    if (!is_v2 && controllers.find("," + controller + ",") == std::string::npos) continue;
    const fs::path top = is_v2 ? mount : mount / controllers.substr(1, controllers.size() - 2);
    // In a container the group's path may be the host's, and only the top is to be seen.
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();;
         group = group.parent_path()) {
      call(top / group, is_v2);
      if (group.empty()) break;
    }
  }
}

}  // namespace flowqat::graph
