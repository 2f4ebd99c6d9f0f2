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

}  // namespace flowqat::io
