#include "io/fetch/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/files/atomic_file.h"
#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/files/write_error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw WriteError(path, what + ": " + std::strerror(errno));
}

}  // namespace

PartialFile::PartialFile(fs::path path) : path_(std::move(path)) {
  std::error_code code;
  fs::create_directories(path_.parent_path(), code);
  if (code) throw WriteError(path_.parent_path(), "cannot be created: " + code.message());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) fail(path_, "cannot be written");
  struct stat status {};
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 || ::fstat(descriptor_, &status) != 0) {
    const int reason = errno;
    ::close(descriptor_);
    errno = reason;
    if (reason == EWOULDBLOCK) {
      throw Error(path_, "another process is fetching this file; wait for it or end it");
    }
    fail(path_, "cannot be locked");
  }
  bytes_ = status.st_size;
  if (bytes_ == 0 || !fs::exists(note_path())) return;
  try {
    const nlohmann::json note = read_json(note_path());
    origin_ = {note.at("url").get<std::string>(), note.at("validator").get<std::string>()};
  } catch (const std::exception&) {
    origin_ = {};  // a note that was not written to its end: as if there were none
  }
}

PartialFile::~PartialFile() {
  if (bytes_ == 0 && !in_place_) remove();  // nothing to go on with
  ::close(descriptor_);
}

fs::path PartialFile::note_path() const { return path_.string() + ".json"; }

int64_t PartialFile::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

int PartialFile::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void PartialFile::set_origin(const PartialOrigin& origin) {
  if (origin == origin_) return;
  write_json(note_path(), {{"url", origin.url}, {"validator", origin.validator}});
  origin_ = origin;
}

void PartialFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    int64_t end = 0;
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) throw Abandoned();
      end = bytes_;
    }
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), end);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
      const std::string why = std::strerror(errno);
      throw WriteError(path_,
                       "cannot be written: " + why + "; " +
                           (full ? "make room, then run the same again" : "run the same again") +
                           ": it goes on from byte " + std::to_string(end));
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
    const std::lock_guard lock(mutex_);
    bytes_ += count;
    changed_.notify_all();
  }
}

void PartialFile::restart() {
  const std::lock_guard lock(mutex_);
  if (::ftruncate(descriptor_, 0) != 0) fail(path_, "cannot be emptied");
  bytes_ = 0;
  ++generation_;
  complete_ = abandoned_ = false;
  changed_.notify_all();
}

void PartialFile::set_complete(bool complete) {
  const std::lock_guard lock(mutex_);
  complete_ = complete;
  changed_.notify_all();
}

void PartialFile::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  changed_.notify_all();
}

size_t PartialFile::read(int generation, int64_t offset, std::span<std::byte> bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return generation != generation_ || bytes_ > offset || complete_ || abandoned_;
  });
  if (generation != generation_) throw Restarted();
  if (bytes_ <= offset && !complete_) throw Abandoned();
  const auto wanted = static_cast<size_t>(
      std::min(static_cast<int64_t>(bytes.size()), std::max(int64_t{0}, bytes_ - offset)));
  lock.unlock();
  size_t got = 0;
  while (got < wanted) {
    const ssize_t count =
        ::pread(descriptor_, bytes.data() + got, wanted - got, offset + static_cast<int64_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "cannot be read");
    if (count == 0) break;  // emptied meanwhile: the next read says so
    got += static_cast<size_t>(count);
  }
  lock.lock();
  if (generation != generation_) throw Restarted();
  return got;
}

void PartialFile::put_in_place(const fs::path& target) {
  if (::fsync(descriptor_) != 0) fail(path_, "cannot be synced to the disk");
  if (::rename(path_.c_str(), target.c_str()) != 0) fail(target, "cannot be put in place");
  in_place_ = true;
  sync_folder_of(target);
  std::error_code ignored;
  fs::remove(note_path(), ignored);
}

void PartialFile::remove() {
  std::error_code ignored;
  fs::remove(path_, ignored);
  fs::remove(note_path(), ignored);
}

int64_t PartialFile::bytes_at(const fs::path& path) {
  std::error_code code;
  const auto bytes = fs::file_size(path, code);
  return code ? 0 : static_cast<int64_t>(bytes);
}

}  // namespace flowqat::io
