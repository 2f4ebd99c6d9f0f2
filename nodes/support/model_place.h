/// Where a model's files are: a folder, or the Hub's cache.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "io/fetch/hub_cache.h"

namespace flowqat::nodes {

struct ModelPlace {
  std::filesystem::path folder = {};
  /// The model that must be fetched first; then there is no folder yet.
  std::optional<io::HubModel> to_fetch = {};
};

/// `path` is a folder if there is one of that name or if it looks like a path (looks_like_path()),
/// else a model's id on the Hub if it has the form of one, ORG/NAME. Throws GraphError for a
/// revision that is none, or that a folder is given; io::Error for what could be an id, but looks
/// like a path to a folder that is not there.
ModelPlace model_place(const std::string& path, const std::string& revision);

}  // namespace flowqat::nodes
