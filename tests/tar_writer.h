/// Tar files for tests, written with libarchive.
#pragma once
#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace flowqat::testing {

/// A tar file, whole when the object goes.
class TarWriter {
 public:
  /// `format`: "ustar", "pax", "gnutar".
  explicit TarWriter(const std::filesystem::path& path, const std::string& format = "ustar") {
    check(archive_write_set_format_by_name(archive_.get(), format.c_str()));
    check(archive_write_open_filename(archive_.get(), path.c_str()));
  }

  TarWriter& file(const std::string& name, const std::string& data) {
    write(*entry(name, AE_IFREG, data.size()), data);
    return *this;
  }
  TarWriter& folder(const std::string& name) {
    write(*entry(name, AE_IFDIR, 0), "");
    return *this;
  }
  TarWriter& symbolic_link(const std::string& name, const std::string& target) {
    const auto link = entry(name, AE_IFLNK, 0);
    archive_entry_set_symlink(link.get(), target.c_str());
    write(*link, "");
    return *this;
  }
  TarWriter& hard_link(const std::string& name, const std::string& target) {
    const auto link = entry(name, AE_IFREG, 0);
    archive_entry_set_hardlink(link.get(), target.c_str());
    write(*link, "");
    return *this;
  }
  TarWriter& pipe(const std::string& name) {
    write(*entry(name, AE_IFIFO, 0), "");
    return *this;
  }
  /// `data`, of which all but the last byte is stored as a hole (format "pax").
  TarWriter& sparse(const std::string& name, const std::string& data) {
    const auto holed = entry(name, AE_IFREG, data.size());
    archive_entry_sparse_add_entry(holed.get(), static_cast<int64_t>(data.size()) - 1, 1);
    write(*holed, data);
    return *this;
  }

 private:
  struct Free {
    void operator()(archive* handle) const { archive_write_free(handle); }
    void operator()(archive_entry* handle) const { archive_entry_free(handle); }
  };
  using Entry = std::unique_ptr<archive_entry, Free>;

  static Entry entry(const std::string& name, unsigned type, size_t bytes) {
    Entry made(archive_entry_new());
    archive_entry_set_pathname(made.get(), name.c_str());
    archive_entry_set_filetype(made.get(), type);
    archive_entry_set_perm(made.get(), 0644);
    archive_entry_set_size(made.get(), static_cast<int64_t>(bytes));
    return made;
  }
  void write(archive_entry& header, const std::string& data) {
    check(archive_write_header(archive_.get(), &header));
    if (!data.empty() && archive_write_data(archive_.get(), data.data(), data.size()) < 0) {
      check(ARCHIVE_FATAL);
    }
  }
  void check(int status) {
    if (status < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(archive_.get()));
  }

  std::unique_ptr<archive, Free> archive_{archive_write_new()};
};

}  // namespace flowqat::testing
