#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

namespace flowqat::io {

/// Writes a table of [values.size() / columns, columns] floats as NumPy's numpy.load() reads it
/// (format version 1.0). Throws Error when it cannot be written.
void write_npy(const std::filesystem::path& path, std::span<const float> values, int64_t columns);

}  // namespace flowqat::io
