/// What the fuzz targets share: inputs as files, and what a reader may throw.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flowqat::fuzz {

/// The bytes of an input.
inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Parts of an input that stands for several files: they are separated by a line "=====".
std::vector<std::string_view> parts_of(std::string_view input);

/// A file of these bytes, in memory; the same one at every call.
std::filesystem::path file_of(std::string_view bytes);

/// An empty folder, in memory where the system has a place for that; the same one at every call.
std::filesystem::path empty_folder();
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Runs `read`. An Error, of whichever room, is what a reader has to say of a bad input: it must
/// say something, of bounded length. Anything else that is thrown ends the program, and so is a
/// finding. Whether nothing was thrown.
bool refuses_or(const std::function<void()>& read);

/// Ends the program, which is a finding.
void require(bool holds, const char* what);

}  // namespace flowqat::fuzz
