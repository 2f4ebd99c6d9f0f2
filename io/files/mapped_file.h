/// A file's bytes without reading them first.
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace flowqat::io {

/// The whole file mapped read-only; valid as long as `owner` lives. The file must not be shortened
/// meanwhile (files written by atomic_file.h never are: they are replaced).
struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Throws Error when the file is missing, empty or cannot be mapped.
MappedFile map_file(const std::filesystem::path& path);

/// Gives back the memory of the whole pages of a part of a mapped file, which is read again if it
/// is looked at again.
void give_pages_back(std::span<const std::byte> part);

}  // namespace flowqat::io
