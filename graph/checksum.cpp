#include "graph/checksum.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <system_error>
#include <vector>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {
namespace {

constexpr int64_t kPiece = int64_t{1} << 20;

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

Checksum::Checksum() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }

void Checksum::add(std::string_view bytes) {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string Checksum::hex() const {
  return format("%016" PRIx64, static_cast<uint64_t>(XXH3_64bits_digest(state_.get())));
}

Checksum checksum_of(const std::filesystem::path& path, int64_t bytes) {
  const auto fail = [&path] {
    throw RunError(path.string() + ": cannot be read: " + std::generic_category().message(errno));
  };
  const Descriptor file(path);
  if (file.number() < 0) fail();
  Checksum checksum;
  std::vector<char> piece(kPiece);
  int64_t done = 0;
  while (bytes < 0 || done < bytes) {
    const int64_t wanted = bytes < 0 ? kPiece : std::min(kPiece, bytes - done);
    const ssize_t count = ::read(file.number(), piece.data(), static_cast<size_t>(wanted));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail();
    if (count == 0) break;
    checksum.add({piece.data(), static_cast<size_t>(count)});
    done += count;
  }
  if (done < bytes) {
    throw RunError(path.string() + ": has " + std::to_string(done) + " bytes, expected " +
                   std::to_string(bytes) + " or more");
  }
  return checksum;
}

}  // namespace flowqat::graph
