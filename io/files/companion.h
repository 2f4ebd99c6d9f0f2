/// Files and folders that systems put beside people's own.
#pragma once
#include <filesystem>
#include <string_view>

namespace flowqat::io {

/// Whether a file or folder of this name is none of the person's: hidden ones (".DS_Store", and
/// "._x.wav", which macOS writes beside "x.wav" on foreign disks and into archives), and what
/// Windows, macOS, and network storage put into every folder.
bool is_companion(std::string_view name);

/// Whether `path`, or a folder on the way from `root` to it, is one. `root` itself may be.
bool is_companion_below(const std::filesystem::path& root, const std::filesystem::path& path);

}  // namespace flowqat::io
