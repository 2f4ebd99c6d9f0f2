#include "io/fetch/download.h"

#include <exception>
#include <optional>
#include <thread>
#include <vector>

#include "io/fetch/transfer.h"

namespace flowqat::io {
namespace {

/// The reader's side, which hashes all that it reads.
class Reader {
 public:
  Reader(PartialFile& partial, const RemoteFile& file, const FetchMonitor& monitor)
      : partial_(partial),
        monitor_(monitor),
        generation_(partial.generation()),
        digest_(file.checksum.kind, file.bytes) {}

  size_t read(std::span<std::byte> bytes) {
    monitor_.check();
    const size_t count = partial_.read(generation_, offset_, bytes);
    digest_.add(bytes.first(count));
    offset_ += static_cast<int64_t>(count);
    return count;
  }
  /// Of all bytes; reads what is left of them.
  std::string checksum() {
    std::vector<std::byte> bytes(size_t{256} << 10);
    while (read(bytes) > 0) {
    }
    return digest_.hex();
  }

 private:
  PartialFile& partial_;
  const FetchMonitor& monitor_;
  int generation_;
  int64_t offset_ = 0;
  Digest digest_;
};

/// What one pass over the file came to.
struct Pass {
  std::string checksum = {};  ///< empty if the content was refused before its end
  std::string refused = {};
  bool resumed = false;
};

Pass stream_once(const RemoteFile& file, PartialFile& partial, FetchMonitor& monitor,
                 const Consume& consume) {
  std::atomic<bool> given_up = false;
  Transfer transfer(file, partial, monitor, given_up);
  std::exception_ptr network_failure, failure;
  Pass pass{.resumed = partial.bytes() > 0};
  if (pass.resumed) {
    monitor.say(file.name + ": going on from " + bytes_text(partial.bytes()) +
                ", which are read from the disk again");
  }
  {
    const std::jthread writer([&] {
      try {
        transfer.run();
        partial.set_complete(true);
      } catch (...) {
        network_failure = std::current_exception();
        partial.abandon();
      }
    });
    try {
      while (pass.checksum.empty()) {
        try {
          Reader reader(partial, file, monitor);
          if (consume) consume([&](std::span<std::byte> bytes) { return reader.read(bytes); });
          pass.checksum = reader.checksum();
        } catch (const PartialFile::Restarted&) {
          // The bytes come again, from the first on.
        }
      }
    } catch (const PartialFile::Abandoned&) {
      // The writer knows why.
    } catch (const BadContent& error) {
      pass.refused = error.what();
    } catch (...) {
      failure = std::current_exception();
    }
    if (pass.checksum.empty()) given_up = true, partial.abandon();
  }
  if (failure) std::rethrow_exception(failure);
  if (network_failure && pass.refused.empty()) std::rethrow_exception(network_failure);
  pass.resumed |= transfer.resumed();
  return pass;
}

}  // namespace

void fetch_file(const RemoteFile& file, PartialFile& partial, FetchMonitor& monitor,
                const Consume& consume) {
  for (bool again = false;; again = true) {
    const Pass pass = stream_once(file, partial, monitor, consume);
    if (pass.checksum == file.checksum.hex) return;
    monitor.lost(partial.bytes());
    partial.restart();
    const std::string wrong = !pass.refused.empty()
                                  ? pass.refused
                                  : std::string("its ") + name_of(file.checksum.kind) + " is " +
                                        pass.checksum + ", expected " + file.checksum.hex;
    if (again || !pass.resumed) {
      partial.remove();
      throw Error(shown_url(file.url) + ": is not the file expected: " + wrong +
                  "; nothing of it was kept; " + file.advice);
    }
    monitor.say(file.name + ": what an earlier try had left does not fit the rest (" + wrong +
                "); fetching it from its start");
  }
}

}  // namespace flowqat::io
