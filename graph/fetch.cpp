#include "graph/fetch.h"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/graph.h"
#include "graph/run_folder.h"

namespace flowqat::graph {
namespace {

namespace fs = std::filesystem;

/// Several nodes may fill one disk.
void check_room(const std::vector<FetchSize>& sizes) {
  struct Disk {
    fs::path folder;
    int64_t needed_bytes = 0;
  };
  std::map<dev_t, Disk> disks;
  for (const FetchSize& size : sizes) {
    const fs::path folder = nearest_existing(size.folder);
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) continue;
    Disk& disk = disks[status.st_dev];
    disk.folder = size.folder;
    disk.needed_bytes += size.disk_bytes;
  }
  for (const auto& [id, disk] : disks) {
    std::error_code code;
    const fs::space_info space = fs::space(nearest_existing(disk.folder), code);
    if (code || std::cmp_greater_equal(space.available, disk.needed_bytes)) continue;
    throw RunError(disk.folder.string() +
                   format(": needs %.1f GB of free space for what is to be fetched and unpacked, "
                          "has %.1f GB; free some, or choose a folder on another disk",
                          static_cast<double>(disk.needed_bytes) / 1e9,
                          static_cast<double>(space.available) / 1e9));
  }
}

}  // namespace

void fetch_missing(Graph& graph, const FetchContext& context) {
  struct Part {
    bool of_step;
    std::unique_ptr<Fetch> fetch;
  };
  std::vector<Part> parts;
  std::vector<FetchSize> sizes;
  for (const auto& node : graph.nodes()) {
    std::unique_ptr<Fetch> fetch = node->missing();
    if (!fetch) continue;
    sizes.push_back(fetch->size(context));
    context.reporter.say(node->name() + ": " + sizes.back().text);
    parts.push_back({dynamic_cast<const Step*>(node.get()) != nullptr, std::move(fetch)});
  }
  check_room(sizes);
  for (const bool steps : {true, false}) {
    bool fetched = false;
    for (const Part& part : parts) {
      if (part.of_step != steps) continue;
      part.fetch->run(context);
      fetched = true;
    }
    if (fetched && steps) graph = Graph(graph.spec());
  }
}

}  // namespace flowqat::graph
