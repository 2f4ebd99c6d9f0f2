/// A file that is not all there yet: one thread appends what comes from the network, another reads
/// it from the start, waiting where it must. What is there stays for the next try, with a note
/// beside it of where it came from.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>

namespace flowqat::io {

/// Where the bytes of a partial file came from.
struct PartialOrigin {
  std::string url = {};
  std::string validator = {};  ///< a strong ETag or a Last-Modified, for If-Range; may be empty
  bool operator==(const PartialOrigin&) const = default;
};

class PartialFile {
 public:
  /// Thrown by read() when what was read is no longer what the file begins with.
  class Restarted {};
  /// Thrown by read() when there will be no more bytes, and by append() when nobody reads them.
  class Abandoned {};

  /// Opens or creates `path`, and its folder. Throws Error when it cannot be, or when another
  /// process is at it.
  explicit PartialFile(std::filesystem::path path);
  /// Leaves no empty file behind.
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int64_t bytes() const;
  const PartialOrigin& origin() const { return origin_; }

  // The writer's side. Errors name the path and say that the next try goes on from there.
  void set_origin(const PartialOrigin& origin);
  void append(std::span<const std::byte> bytes);
  /// Empties it; it is then as if it were new, neither complete nor abandoned.
  void restart();
  void set_complete(bool complete);
  /// No more comes; wakes the other side.
  void abandon();

  /// The reader's side: what lies from `offset` on, at least a byte unless that is the end. Pass
  /// the generation() from before the first read.
  size_t read(int generation, int64_t offset, std::span<std::byte> bytes);
  int generation() const;

  /// After the last append: syncs the content to the disk and gives it its final name.
  void put_in_place(const std::filesystem::path& target);
  /// Removes it and its note.
  void remove();

  /// How many bytes a partial file at `path` has; 0 where there is none.
  static int64_t bytes_at(const std::filesystem::path& path);

 private:
  std::filesystem::path note_path() const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  PartialOrigin origin_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t bytes_ = 0;
  int generation_ = 0;
  bool complete_ = false, abandoned_ = false, in_place_ = false;
};

}  // namespace flowqat::io
