#include "io/line_reader.h"

#include <archive.h>
#include <archive_entry.h>

extern "C" {
#include <libavutil/crc.h>
}

#include <algorithm>
#include <array>

#include "io/error.h"

namespace flowqat::io {
namespace {

constexpr size_t block_bytes = 1 << 16;
constexpr size_t line_limit_bytes = 16 << 20;

[[noreturn]] void fail(const std::filesystem::path& path, archive* opened) {
  const char* reason = archive_error_string(opened);
  throw Error(path, std::string("cannot be read: ") + (reason ? reason : "unknown failure") +
                        "; copy it again from its source");
}

}  // namespace

void LineReader::Closer::operator()(archive* opened) const { archive_read_free(opened); }

LineReader::LineReader(const std::filesystem::path& path)
    : file_(path), archive_(archive_read_new()) {
  archive* const opened = archive_.get();
  if (!opened) throw std::bad_alloc();
  // A text is one "raw" member; compressed or not, it is read in the same way. What decompresses to
  // nothing is "empty".
  archive_entry* member = nullptr;
  if (archive_read_support_filter_gzip(opened) < ARCHIVE_WARN ||
      archive_read_support_format_raw(opened) != ARCHIVE_OK ||
      archive_read_support_format_empty(opened) != ARCHIVE_OK ||
      archive_read_open_fd(opened, file_.descriptor(), block_bytes) != ARCHIVE_OK) {
    fail(path, opened);
  }
  const int status = archive_read_next_header(opened, &member);
  if (status == ARCHIVE_EOF) {
    finish();
  } else if (status != ARCHIVE_OK) {
    fail(path, opened);
  }
}

/// Appends what follows to text_; false at the file's end.
bool LineReader::fill() {
  if (!archive_) return false;
  text_.erase(0, at_);
  at_ = 0;
  const size_t kept = text_.size();
  text_.resize(kept + block_bytes);
  const la_ssize_t count = archive_read_data(archive_.get(), text_.data() + kept, block_bytes);
  if (count < 0) fail(path(), archive_.get());
  text_.resize(kept + static_cast<size_t>(count));
  if (count == 0) {
    finish();
    return false;
  }
  checksum_ =
      av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), checksum_,
             reinterpret_cast<const uint8_t*>(text_.data() + kept), static_cast<size_t>(count));
  bytes_ += static_cast<uint32_t>(count);
  return true;
}

/// libarchive skips the checksum of gzip, and damage often decompresses to something.
void LineReader::finish() {
  const bool compressed = archive_filter_code(archive_.get(), 0) == ARCHIVE_FILTER_GZIP;
  archive_.reset();
  if (!compressed) return;
  std::array<uint8_t, 8> trailer{};
  file_.read(std::max<int64_t>(file_.size_bytes() - 8, 0), trailer);
  const auto number = [&](size_t at) {
    return trailer[at] | trailer[at + 1] << 8 | trailer[at + 2] << 16 |
           static_cast<uint32_t>(trailer[at + 3]) << 24;
  };
  if (number(0) == ~checksum_ && number(4) == bytes_) return;
  throw Error(path(),
              "the checksum of the compressed text is wrong: the file is damaged, copy it "
              "again from its source; or it is several that were joined, then pack it anew "
              "with \"zcat OLD | gzip > NEW\"");
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
  return true;
}

std::filesystem::path LineReader::here() const {
  return path().native() + ", line " + std::to_string(number_);
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t") == std::string::npos;
}

}  // namespace flowqat::io
