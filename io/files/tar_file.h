/// Where the members of an uncompressed tar file lie, through libarchive. Nothing is extracted, and
/// no name of a member is ever used as a path.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "io/files/input_file.h"

struct archive;

namespace flowqat::io {

struct TarMember {
  std::string name;  ///< as the archive spells it
  /// Of its data in the archive; always within the file.
  int64_t first_byte = 0, bytes = 0;
  /// Why its data is no range of the file's bytes: a link, say. Empty if it is one.
  std::string unusable;
};

/// Reads ustar, pax and GNU tar, several archives behind one another too.
class TarFile {
 public:
  /// Throws Error as InputFile does.
  explicit TarFile(const std::filesystem::path& path);

  /// The next member that is no folder; none at the end. Throws Error when the file is compressed
  /// (with the command that unpacks it), is no tar file, has a broken header, or was cut off: a
  /// member or the mark of the archive's end is not all there. No call may follow an Error.
  std::optional<TarMember> next();

  /// The data of a usable member. Throws Error when the disk fails.
  std::string read(const TarMember& member) const;

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  struct Free {
    void operator()(archive* handle) const;
  };
  [[noreturn]] void fail() const;
  [[noreturn]] void fail_cut_off(const std::string& what) const;

  InputFile file_;
  std::unique_ptr<archive, Free> archive_;
  std::string last_name_;  ///< of the member that was read last; empty before the first
  /// Where the next header must stand if that member was usable; 0: not known.
  int64_t end_byte_ = 0;
};

}  // namespace flowqat::io
