#include "graph/json_lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "graph/format.h"
#include "graph/output_error.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw OutputError(path.string() + ": " + what + ": " + std::generic_category().message(errno));
}

/// Of the file's first `most` bytes, those up to the end of a line.
int64_t whole_lines_bytes(const std::filesystem::path& path, int64_t most) {
  std::ifstream file(path, std::ios::binary);
  int64_t whole = 0;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    const int64_t end = whole + std::ssize(line) + 1;
    if (end > most) break;
    whole = end;
  }
  return whole;
}

}  // namespace

std::string json_line(const Json& json) {
  const std::string text = rounded(json).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string line;
  line.reserve(text.size() + 1);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    // JSON's own rule ends with U+001F; a terminal obeys DEL and U+0080 to U+009F too.
    if (c == 0x7f) {
      line += "\\u007f";
    } else if (c == 0xc2 && next < 0xa0) {
      line += format("\\u%04x", next);
      ++i;
    } else {
      line += text[i];
    }
  }
  return line + "\n";
}

JsonLines::JsonLines(std::filesystem::path path) : path_(std::move(path)) { open(O_TRUNC); }

JsonLines::JsonLines(std::filesystem::path path, const Json& state, bool accepts)
    : path_(std::move(path)) {
  if (state.is_null()) {
    open(O_TRUNC);
    return;
  }
  bytes_ = state.at("bytes").get<int64_t>();
  if (const std::string why = why_not(path_, state); !why.empty()) {
    if (!accepts) throw RunError(why);
    bytes_ = whole_lines_bytes(path_, bytes_);
  }
  if (bytes_ > 0) checksum_ = checksum_of(path_, bytes_);
  open(O_APPEND);
  if (::ftruncate(descriptor_, bytes_) != 0) fail(path_, "cannot be cut back");
}

JsonLines::~JsonLines() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void JsonLines::open(int flags) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
  if (descriptor_ < 0) fail(path_, "cannot be written");
}

void JsonLines::add(const Json& line) {
  if (path_.empty()) return;
  const std::string text = json_line(line);
  for (std::string_view left = text; !left.empty();) {
    const ssize_t count = ::write(descriptor_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "cannot be written");
    left.remove_prefix(static_cast<size_t>(count));
  }
  checksum_.add(text);
  bytes_ += static_cast<int64_t>(text.size());
}

void JsonLines::cut_back(const Json& state) {
  const auto bytes = state.at("bytes").get<int64_t>();
  if (path_.empty() || bytes == bytes_) return;
  bytes_ = bytes;
  checksum_ = bytes_ > 0 ? checksum_of(path_, bytes_) : Checksum();
  if (::ftruncate(descriptor_, bytes_) != 0 || ::lseek(descriptor_, bytes_, SEEK_SET) < 0) {
    fail(path_, "cannot be cut back");
  }
}

void JsonLines::sync() const {
  if (path_.empty()) return;
  // A device or a pipe in the file's place has nothing to sync.
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail(path_, "cannot be synced to the disk");
}

Json JsonLines::state() const { return {{"bytes", bytes_}, {"xxh3", checksum_.hex()}}; }

std::string JsonLines::why_not(const std::filesystem::path& path, const Json& state) {
  const auto bytes = state.at("bytes").get<int64_t>();
  if (bytes == 0) return "";
  std::error_code error;
  const auto found = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (error) return path.string() + ": cannot be read: " + error.message();
  if (found < bytes) {
    return path.string() + ": was cut off: it has " + std::to_string(found) + " bytes, but had " +
           std::to_string(bytes);
  }
  if (checksum_of(path, bytes).hex() != state.at("xxh3").get<std::string>()) {
    return path.string() + ": was changed: its first " + std::to_string(bytes) +
           " bytes are no longer those that were written";
  }
  return "";
}

}  // namespace flowqat::graph
