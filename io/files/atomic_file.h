/// Files that are whole or not there: written under a temporary name beside the target, synced to
/// the disk, then renamed over it.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace flowqat::io {

/// Where the content of a file goes while it is being written.
class FileSink {
 public:
  FileSink(int descriptor, const std::filesystem::path& target)
      : descriptor_(descriptor), target_(target) {}
  /// Appends. Throws Error naming the target when the disk refuses.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

 private:
  int descriptor_;
  const std::filesystem::path& target_;
};

/// Replaces `path` by what `fill` writes. If `fill` throws or the disk refuses (Error), the file
/// that was there before stays as it was and nothing is left behind.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(FileSink&)>& fill);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Makes a rename to `path` itself survive a crash.
void sync_folder_of(const std::filesystem::path& path);

}  // namespace flowqat::io
