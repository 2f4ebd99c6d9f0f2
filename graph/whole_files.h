/// Files and folders that are there whole or not at all, whenever the program is killed.
#pragma once
#include <filesystem>
#include <functional>

#include "graph/json.h"

namespace flowqat::graph {

/// Fills a folder under a temporary name, syncs it to the disk and puts it at `path`, in exchange
/// for what was there. Where `fill` throws, nothing is left behind. Throws OutputError.
void write_folder(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path&)>& fill);
/// The same for one JSON file.
void write_json(const std::filesystem::path& path, const Json& value);
/// Throws RunError naming the file, and where in it is no JSON.
Json read_json(const std::filesystem::path& path);

/// Removes a file or a folder if it is there. It is renamed first: what is half removed must not
/// look like what it was. Throws OutputError.
void remove_whole(const std::filesystem::path& path);
/// Removes what a program that was killed while it wrote or removed `path` left beside it.
void remove_leftovers(const std::filesystem::path& path);

/// Waits until a file, or the names in a folder, are on the disk. Throws OutputError.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace flowqat::graph
