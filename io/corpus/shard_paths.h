/// The tar files that a list of files, folders and patterns stands for.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace flowqat::io {

/// WebDataset's brace patterns, as the shell expands them: "train-{000000..000127}.tar" and
/// "{clean,other}/0.tar", several and nested ones too. Numbers are as wide as those of the range.
/// Throws Error for braces that are neither, and for more than a million paths.
std::vector<std::string> expand_braces(const std::string& pattern);

struct ShardPaths {
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> folders;  ///< those that were listed
};

/// Each of `paths` is a file, a folder (the *.tar in it, sorted, none of those below it), or a
/// pattern of either. The order is kept. Throws Error for a path where nothing is, a folder without
/// *.tar, and a file that comes twice.
ShardPaths find_shards(const std::vector<std::string>& paths);

}  // namespace flowqat::io
