#include "io/files/line_reader.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr size_t block_bytes = 1 << 16;
constexpr size_t line_limit_bytes = 16 << 20;

}  // namespace

void LineReader::Closer::operator()(gzFile_s* opened) const { gzclose_r(opened); }

LineReader::LineReader(const std::filesystem::path& path) : file_(path) {
  // zlib closes what it is given. A file that is not compressed it reads as it is.
  const int descriptor = ::dup(file_.descriptor());
  text_file_.reset(descriptor < 0 ? nullptr : gzdopen(descriptor, "rb"));
  if (text_file_) return;
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), path.string());
  ::close(descriptor);
  throw std::bad_alloc();
}

void LineReader::fail() const {
  int code = 0;
  std::string reason = gzerror(text_file_.get(), &code);
  // zlib puts the descriptor's number before it.
  if (const size_t colon = reason.find(": "); colon != std::string::npos)
    reason.erase(0, colon + 2);
  throw Error(path(), "cannot be read: " + reason + "; copy it again from its source");
}

/// Appends what follows to text_; false at the file's end.
bool LineReader::fill() {
  text_.erase(0, at_);
  at_ = 0;
  const size_t kept = text_.size();
  text_.resize(kept + block_bytes);
  const int count = gzread(text_file_.get(), text_.data() + kept, block_bytes);
  int code = Z_OK;
  gzerror(text_file_.get(), &code);  // a file that is cut off reads as one that ends
  if (count < 0 || (code != Z_OK && code != Z_STREAM_END)) fail();
  text_.resize(kept + static_cast<size_t>(count));
  return count > 0;
}

bool LineReader::next(std::string& line) {
  size_t end, searched = at_;
  while ((end = text_.find('\n', searched)) == std::string::npos) {
    const size_t length = text_.size() - at_;
    if (length > line_limit_bytes) {
      throw Error(path(),
                  "expected a text, found more than 16 MiB without the end of a line behind "
                  "line " +
                      std::to_string(number_));
    }
    if (!fill()) {
      if (length == 0) return false;
      end = text_.size();
      break;
    }
    searched = length;
  }
  line.assign(text_, at_, end - at_);
  at_ = std::min(end + 1, text_.size());
  if (line.ends_with('\r')) line.pop_back();
  if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (number_ == 1 && (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF"))) {
    throw Error(path(), "is UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8");
  }
  return true;
}

std::filesystem::path LineReader::here() const {
  return path().native() + ", line " + std::to_string(number_);
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t") == std::string::npos;
}

}  // namespace flowqat::io
