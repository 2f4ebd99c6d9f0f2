#include "nodes/support/model_place.h"

#include "graph/error.h"
#include "io/files/error.h"

namespace flowqat::nodes {

ModelPlace model_place(const std::string& path, const std::string& revision) {
  const bool is_there = std::filesystem::is_directory(path);
  if (!is_there && io::is_hub_id(path) && io::looks_like_path(path)) {
    throw io::Error(path, "no such folder; because \"" + path.substr(0, path.find('/')) +
                              "\" is a folder here, it is taken for a path and not for a model's "
                              "id on the Hub");
  }
  if (is_there || !io::is_hub_id(path)) {
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
