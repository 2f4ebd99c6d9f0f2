#include "io/audio/spool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& folder, const std::string& what) {
  throw Error(folder, what + ": " + std::strerror(errno) +
                          "; name a folder with room in the environment: TMPDIR=DIR");
}

template <class T>
void put(std::vector<std::byte>& bytes, T value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof value);
}

void put(std::vector<std::byte>& bytes, const char* text) {
  for (; *text != 0; ++text) bytes.push_back(static_cast<std::byte>(*text));
}

/// RF64 (EBU Tech 3306), which is WAV without its limit of 4 GB: one channel of 32-bit floats.
std::vector<std::byte> wav_header(int64_t samples, int rate_hz) {
  constexpr uint32_t ds64_bytes = 28, format_bytes = 16, elsewhere = 0xffffffff;
  const auto data_bytes = static_cast<uint64_t>(samples) * sizeof(float);
  std::vector<std::byte> header;
  put(header, "RF64"), put(header, elsewhere), put(header, "WAVE");
  put(header, "ds64"), put(header, ds64_bytes);
  put(header, uint64_t{4 + (8 + ds64_bytes) + (8 + format_bytes) + 8} + data_bytes);
  put(header, data_bytes), put(header, static_cast<uint64_t>(samples)), put(header, uint32_t{0});
  put(header, "fmt "), put(header, format_bytes);
  put(header, uint16_t{3}), put(header, uint16_t{1});  // floats, one channel
  put(header, static_cast<uint32_t>(rate_hz)), put(header, static_cast<uint32_t>(rate_hz * 4));
  put(header, uint16_t{4}), put(header, uint16_t{32});
  put(header, "data"), put(header, elsewhere);
  return header;
}

}  // namespace

Spool::Spool() {
  std::error_code none;
  const fs::path folder = fs::temp_directory_path(none);
  std::string name = ((none ? fs::path("/tmp") : folder) / "flowqat-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail(name, "a temporary file cannot be made");
  ::unlink(name.c_str());
}

Spool::~Spool() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Spool::Spool(Spool&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), bytes_(other.bytes_) {}

void Spool::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("the temporary file", "cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(count));
    bytes_ += count;
  }
}

fs::path Spool::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

Spool spool_stream(int descriptor, const Waiting& waiting) {
  Spool spool;
  std::vector<std::byte> buffer(1 << 16);
  for (;;) {
    if (waiting) waiting();
    pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
    constexpr int patience_ms = 100;
    if (::poll(&ready, 1, patience_ms) <= 0) continue;  // nothing yet, or a signal
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) throw Error(std::string("cannot be read: ") + std::strerror(errno));
    if (count == 0) return spool;
    spool.write(std::span(buffer).first(static_cast<size_t>(count)));
  }
}

std::optional<Spool> spool_pipe(const fs::path& path, const Waiting& waiting) {
  struct stat named {
  }, input{};
  if (::stat(path.c_str(), &named) != 0 || S_ISREG(named.st_mode)) return std::nullopt;
  // A socket cannot be opened by its name, though it may be standard input.
  const bool is_input = ::fstat(STDIN_FILENO, &input) == 0 && input.st_dev == named.st_dev &&
                        input.st_ino == named.st_ino;
  if (is_input && (!S_ISCHR(named.st_mode) || ::isatty(STDIN_FILENO) != 0)) {
    return spool_stream(STDIN_FILENO, waiting);
  }
  if (!S_ISFIFO(named.st_mode)) return std::nullopt;
  // Not to be stuck in opening it.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw Error(path, std::string("cannot be opened: ") + std::strerror(errno));
  const auto close = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close)> owner(&descriptor, close);
  try {
    return spool_stream(descriptor, waiting);
  } catch (const Error& error) {
    throw Error(path, error.what());
  }
}

Spool spool_decoded(const AudioPlace& place, const AudioInfo& expected) {
  Spool spool;
  spool.write(wav_header(expected.samples, expected.rate_hz));
  decode_audio(place, expected,
               [&](std::span<const float> mono) { spool.write(std::as_bytes(mono)); });
  return spool;
}

}  // namespace flowqat::io
