#include "io/files/tar_file.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <string_view>
#include <utility>

#include "base/foreign.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int64_t tar_block_bytes = 512;
/// What libarchive reads at a time: headers and transcripts lie together, audio is skipped.
constexpr size_t read_bytes = size_t{32} << 10;

/// The program that packed a file which begins with `head`; null if none is known.
const char* compressor_of(std::string_view head) {
  constexpr std::array<std::pair<std::string_view, const char*>, 5> marks{
      {{"\x1f\x8b", "gzip"},
       {"\x28\xb5\x2f\xfd", "zstd"},
       {"\xfd"
        "7zXZ",
        "xz"},
       {"BZh", "bzip2"},
       {"\x04\x22\x4d\x18", "lz4"}}};
  for (const auto& [mark, program] : marks) {
    if (head.starts_with(mark)) return program;
  }
  return nullptr;
}

std::string name_of(archive_entry* entry) {
  // Bytes as they are, unless a pax header holds what the current locale cannot express.
  if (const char* name = archive_entry_pathname(entry)) return name;
  const char* name = archive_entry_pathname_utf8(entry);
  return name ? name : "";
}

std::string why_unusable(archive_entry* entry) {
  if (const char* target = archive_entry_hardlink(entry)) {
    return std::string("is a hard link to \"") + target + "\"; pack it with tar --hard-dereference";
  }
  if (archive_entry_filetype(entry) == AE_IFLNK) {
    const char* target = archive_entry_symlink(entry);
    return std::string("is a symbolic link to \"") + (target ? target : "") +
           "\"; pack it with tar --dereference";
  }
  if (archive_entry_filetype(entry) != AE_IFREG) return "is no regular file";
  if (archive_entry_sparse_count(entry) > 0) return "is stored sparse; pack it without --sparse";
  return "";
}

}  // namespace

void TarFile::Free::operator()(archive* handle) const { archive_read_free(handle); }

TarFile::TarFile(const std::filesystem::path& path) : file_(path), archive_(archive_read_new()) {
  if (!archive_ || archive_read_support_format_tar(archive_.get()) != ARCHIVE_OK ||
      // Without this, whatever stands behind the first mark of an end would go unheard.
      archive_read_set_format_option(archive_.get(), "tar", "read_concatenated_archives", "1") !=
          ARCHIVE_OK ||
      archive_read_open_fd(archive_.get(), file_.descriptor(), read_bytes) != ARCHIVE_OK) {
    fail();
  }
}

std::optional<TarMember> TarFile::next() {
  archive_entry* entry = nullptr;
  do {
    const int status = archive_read_next_header(archive_.get(), &entry);
    // Warnings are about names in other alphabets and attributes that nobody asks for here.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF) fail();
    // Behind the data of the last member, as libarchive has skipped it.
    const int64_t header_byte = archive_read_header_position(archive_.get());
    if (end_byte_ > 0 && header_byte != end_byte_) {
      throw Error(path(), "member \"" + last_name_ + "\" ends at byte " +
                              std::to_string(header_byte) + ", where its size says " +
                              std::to_string(end_byte_) + "; pack the shard anew");
    }
    if (status == ARCHIVE_EOF) {
      if (file_.size_bytes() < header_byte + tar_block_bytes) {
        fail_cut_off("the mark of the archive's end is missing");
      }
      return std::nullopt;
    }
    last_name_ = name_of(entry);
    end_byte_ = 0;
  } while (archive_entry_filetype(entry) == AE_IFDIR);

  TarMember member{.name = last_name_, .unusable = why_unusable(entry)};
  if (!member.unusable.empty()) return member;
  member.first_byte = archive_filter_bytes(archive_.get(), 0);
  member.bytes = archive_entry_size(entry);
  if (member.bytes < 0 || member.bytes > file_.size_bytes() - member.first_byte) {
    fail_cut_off("member \"" + member.name + "\" has " + std::to_string(member.bytes) +
                 " bytes from byte " + std::to_string(member.first_byte) + " on, the file " +
                 std::to_string(file_.size_bytes()));
  }
  const int64_t blocks = (member.bytes + tar_block_bytes - 1) / tar_block_bytes;
  end_byte_ = member.first_byte + blocks * tar_block_bytes;
  return member;
}

std::string TarFile::read(const TarMember& member) const {
  std::string data(static_cast<size_t>(member.bytes), '\0');
  data.resize(
      file_.read(member.first_byte, {reinterpret_cast<uint8_t*>(data.data()), data.size()}));
  return data;
}

void TarFile::fail() const {
  if (!archive_) throw Error(path(), "there is no memory to read it");
  std::string head(foreign_head_bytes, '\0');
  head.resize(file_.read(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()}));
  const char* compressor = last_name_.empty() ? compressor_of(head) : nullptr;
  if (compressor) {
    const std::string name = path().filename().string();
    throw Error(path(), std::string("is compressed with ") + compressor +
                            ", and audio is read from where it lies in a shard; unpack it with: " +
                            compressor + " -dc '" + name + "' > UNPACKED.tar");
  }
  if (const std::string what = foreign_content(head); !what.empty()) {
    throw Error(path(), "is no tar file: " + what);
  }
  const char* text = archive_error_string(archive_.get());
  throw Error(path(), "cannot be read as a tar file" +
                          (last_name_.empty() ? "" : " behind member \"" + last_name_ + "\"") +
                          ": " + (text ? text : "unknown error") +
                          "; copy it again from its source");
}

void TarFile::fail_cut_off(const std::string& what) const {
  throw Error(path(), "the tar file was cut off" +
                          (last_name_.empty() ? "" : " at member \"" + last_name_ + "\"") + ": " +
                          what + "; copy it again from its source");
}

}  // namespace flowqat::io
