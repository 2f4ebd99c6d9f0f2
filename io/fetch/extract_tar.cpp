#include "io/fetch/extract_tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "io/files/write_error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = size_t{256} << 10;

struct Free {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

/// What libarchive reads from; an exception may not cross its C code.
struct Feed {
  const ReadBytes& read;
  std::vector<std::byte> block = std::vector<std::byte>(kBlockBytes);
  std::exception_ptr failure = nullptr;

  static la_ssize_t next(archive* handle, void* self, const void** data) {
    auto& feed = *static_cast<Feed*>(self);
    try {
      *data = feed.block.data();
      return static_cast<la_ssize_t>(feed.read(feed.block));
    } catch (...) {
      feed.failure = std::current_exception();
      archive_set_error(handle, EIO, "no more bytes");
      return -1;
    }
  }
};

class Extraction {
 public:
  Extraction(const ReadBytes& read, const fs::path& folder)
      : feed_{read}, folder_(folder), archive_(archive_read_new()) {
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_format_tar(archive_.get());
    check(archive_read_open(archive_.get(), &feed_, nullptr, &Feed::next, nullptr));
  }

  void run() {
    archive_entry* entry = nullptr;
    int members = 0;
    while (true) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      check(status);
      unpack(entry);
      ++members;
    }
    if (members == 0) throw BadContent("the archive is empty");
  }

 private:
  void check(int status) {
    if (feed_.failure) std::rethrow_exception(feed_.failure);
    if (status >= ARCHIVE_WARN) return;
    const char* text = archive_error_string(archive_.get());
    throw BadContent(std::string("the archive cannot be unpacked: ") +
                     (text ? text : "unknown error"));
  }

  void unpack(archive_entry* entry) {
    const char* spelled = archive_entry_pathname(entry);
    const std::string name = spelled ? spelled : "";
    const fs::path path = place_of(name);
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry)) {
      throw BadContent("the archive's member \"" + name +
                       "\" is a link; links are not unpacked, for they may lead anywhere");
    }
    std::error_code code;
    if (type == AE_IFDIR) {
      fs::create_directories(path, code);
    } else if (type == AE_IFREG) {
      fs::create_directories(path.parent_path(), code);
    } else {
      throw BadContent("the archive's member \"" + name + "\" is neither a file nor a folder");
    }
    if (code) throw WriteError(path, "cannot be created: " + code.message());
    if (type == AE_IFREG) write(path, name);
  }

  /// Below the folder, whatever the member is called. No link can lead out: none is made.
  fs::path place_of(const std::string& name) const {
    const fs::path path(name);
    bool inside = !name.empty() && path.is_relative();
    for (const fs::path& part : path) inside &= part != "..";
    if (!inside) {
      throw BadContent("the archive's member \"" + name + "\" would be unpacked elsewhere");
    }
    return folder_ / path;
  }

  void write(const fs::path& path, const std::string& name) {
    const int file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0 && errno == EEXIST) {
      throw BadContent("the archive's member \"" + name + "\" is there twice");
    }
    if (file < 0) fail(path);
    const struct Closing {
      int file;
      ~Closing() { ::close(file); }
    } closing{file};
    const void* data = nullptr;
    size_t bytes = 0;
    la_int64_t offset = 0;
    while (true) {
      const int status = archive_read_data_block(archive_.get(), &data, &bytes, &offset);
      if (status == ARCHIVE_EOF) return;
      check(status);
      write_at(file, static_cast<const char*>(data), bytes, offset, path);
    }
  }

  static void write_at(int file, const char* data, size_t bytes, int64_t offset,
                       const fs::path& path) {
    for (size_t done = 0; done < bytes;) {
      const ssize_t count =
          ::pwrite(file, data + done, bytes - done, offset + static_cast<int64_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(path);
      done += static_cast<size_t>(count);
    }
  }

  [[noreturn]] static void fail(const fs::path& path) {
    const std::string why = std::strerror(errno);
    throw WriteError(path, "cannot be written: " + why +
                               "; make room, then run the same again: what was fetched is kept");
  }

  Feed feed_;
  fs::path folder_;
  std::unique_ptr<archive, Free> archive_;
};

}  // namespace

void extract_tar(const ReadBytes& read, const fs::path& folder) { Extraction(read, folder).run(); }

}  // namespace flowqat::io
