#include "graph/whole_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "base/json_text.h"
#include "graph/output_error.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

constexpr const char *kPartial = ".partial", *kRemoving = ".removing";

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw OutputError(path.string() + ": " + what + ": " + std::generic_category().message(errno));
}

fs::path beside(const fs::path& path, const char* suffix) {
  fs::path name = path;
  name += suffix;
  return name;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void put_at(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail(to, "cannot be put in place");
}

/// What was at `path` is at `partial` afterwards, and is never missing in between where the file
/// system can exchange two names.
void put_in_place(const fs::path& partial, const fs::path& path) {
  if (!fs::exists(path)) return put_at(partial, path);
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) return;
  const fs::path removing = beside(path, kRemoving);
  put_at(path, removing);
  put_at(partial, path);
}

}  // namespace

void sync_to_disk(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path, "cannot be opened");
  const int synced = ::fsync(file);
  const int code = errno;
  ::close(file);
  errno = code;
  if (synced != 0 && code != EINVAL) fail(path, "cannot be synced to the disk");
}

void remove_whole(const fs::path& path) try {
  if (!fs::exists(fs::symlink_status(path))) return;
  const fs::path removing = beside(path, kRemoving);
  fs::remove_all(removing);
  put_at(path, removing);
  sync_to_disk(folder_of(path));
  fs::remove_all(removing);
} catch (const fs::filesystem_error& error) {
  throw OutputError(error.path1().string() + ": cannot be removed: " + error.code().message());
}

void remove_leftovers(const fs::path& path) try {
  for (const char* suffix : {kPartial, kRemoving}) fs::remove_all(beside(path, suffix));
} catch (const fs::filesystem_error& error) {
  throw OutputError(error.path1().string() + ": cannot be removed: " + error.code().message());
}

void write_folder(const fs::path& path, const std::function<void(const fs::path&)>& fill) try {
  const fs::path partial = beside(path, kPartial);
  remove_leftovers(path);
  fs::create_directories(partial);
  try {
    fill(partial);
    for (const auto& entry : fs::recursive_directory_iterator(partial)) sync_to_disk(entry.path());
    sync_to_disk(partial);
    put_in_place(partial, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
  sync_to_disk(folder_of(path));
  remove_leftovers(path);
} catch (const fs::filesystem_error& error) {
  throw OutputError(path.string() + ": cannot be written: " + error.code().message());
}

void write_json(const fs::path& path, const Json& value) {
  const fs::path partial = beside(path, kPartial);
  try {
    errno = 0;
    std::ofstream file(partial);
    file << value.dump(2, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
    if (!file) fail(path, "cannot be written");
    file.close();
    sync_to_disk(partial);
    put_at(partial, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
  sync_to_disk(folder_of(path));
}

Json read_json(const fs::path& path) {
  const auto refuse = [&path](int code) {
    throw RunError(path.string() + ": cannot be read: " + std::generic_category().message(code));
  };
  if (fs::is_directory(path)) refuse(EISDIR);
  errno = 0;
  std::ifstream file(path);
  if (!file) refuse(errno != 0 ? errno : EIO);
  try {
    const std::string text = json_text(file);
    if (file.bad()) refuse(errno != 0 ? errno : EIO);
    return parse_json<Json>(text);
  } catch (const JsonError& error) {
    throw RunError(path.string() + ": is not JSON at " + error.what());
  }
}

}  // namespace flowqat::graph
