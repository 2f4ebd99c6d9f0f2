#include "io/audio/av_input.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int buffer_bytes = 1 << 16;

/// Processor time: a busy machine does not count against a file.
double thread_time_s() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double most_time_s(const InputFile& file) {
  return 60 + 10 * static_cast<double>(file.size_bytes()) / 1e6;
}

void patch(std::span<uint8_t> bytes, int64_t offset, const ContainerView::Patch& patch) {
  for (size_t i = 0; i < patch.bytes.size(); ++i) {
    const int64_t at = patch.offset + static_cast<int64_t>(i) - offset;
    if (at >= 0 && at < std::ssize(bytes)) bytes[static_cast<size_t>(at)] = patch.bytes[i];
  }
}

}  // namespace

AvInput::AvInput(const InputFile& file, ContainerView view)
    : file_(file), view_(std::move(view)), end_of_time_s_(thread_time_s() + most_time_s(file)) {
  auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(buffer_bytes)));
  context_.reset(
      allocated(avio_alloc_context(buffer, buffer_bytes, 0, this, &read, nullptr, &seek)));
}

void AvInput::check_time() const {
  if (thread_time_s() <= end_of_time_s_) return;
  throw Error(file_.path(),
              "takes longer to decode than any sound file of its size; it is damaged "
              "or made to be so");
}

int AvInput::read(void* self, uint8_t* bytes, int count) {
  auto& at = *static_cast<AvInput*>(self);
  try {
    at.check_time();
    const int64_t left = std::max<int64_t>(at.view_.end_bytes - at.offset_bytes_, 0);
    const std::span<uint8_t> wanted(bytes, static_cast<size_t>(std::min<int64_t>(count, left)));
    const size_t done = at.file_.read(at.offset_bytes_, wanted);
    for (const ContainerView::Patch& each : at.view_.patches) {
      patch(wanted.first(done), at.offset_bytes_, each);
    }
    at.offset_bytes_ += static_cast<int64_t>(done);
    return done == 0 ? AVERROR_EOF : static_cast<int>(done);
  } catch (const std::exception& error) {
    at.failure_ = error.what();
    return AVERROR(EIO);
  }
}

int64_t AvInput::seek(void* self, int64_t offset, int whence) {
  auto& at = *static_cast<AvInput*>(self);
  const int64_t size = at.view_.end_bytes;
  if ((whence & AVSEEK_SIZE) != 0) return size;
  const int from = whence & ~AVSEEK_FORCE;
  if (from == SEEK_CUR) offset += at.offset_bytes_;
  if (from == SEEK_END) offset += size;
  if (offset < 0) return AVERROR(EINVAL);
  return at.offset_bytes_ = offset;
}

}  // namespace flowqat::io
