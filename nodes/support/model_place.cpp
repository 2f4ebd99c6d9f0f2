#include "nodes/support/model_place.h"

#include "graph/error.h"

namespace flowqat::nodes {

ModelPlace model_place(const std::string& path, const std::string& revision) {
  const bool is_folder = std::filesystem::is_directory(path) || !io::is_hub_id(path);
  if (is_folder) {
    if (revision.empty()) return {.folder = path};
    throw graph::GraphError("key \"revision\": is for a model's id on the Hub, but \"path\", " +
                            path + ", is a folder");
  }
  io::HubModel model{.id = path};
  if (!revision.empty()) model.revision = revision;
  if (!io::is_hub_revision(model.revision)) {
    throw graph::GraphError(
        "key \"revision\": must be a branch, a tag, refs/pr/N or a commit, found \"" + revision +
        "\"");
  }
  if (const auto snapshot = io::find_in_hub_cache(model)) return {.folder = *snapshot};
  return {.to_fetch = model};
}

}  // namespace flowqat::nodes
