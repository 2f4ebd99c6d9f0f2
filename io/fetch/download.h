/// One file from the network, resumed, retried and verified.
///
/// What comes is appended to a partial file on the disk, and read from there by whoever wants it
/// while it comes: to verify it, to unpack it. So an interrupted fetch goes on with the byte that
/// is missing, and what is there is read again from the disk, not from the network: a decompressor
/// or a checksum need not be saved in the middle of a file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "io/fetch/fetch.h"
#include "io/fetch/partial_file.h"
#include "io/files/checksum.h"
#include "io/files/error.h"

namespace flowqat::io {

struct RemoteFile {
  std::string name = {};  ///< for messages
  std::string url = {};
  std::string token = {};  ///< for the host of `url` alone; empty: none
  int64_t bytes = 0;
  Checksum checksum = {};
  std::string advice = {};  ///< what to do when the server has no such file, or another one
};

/// What the user of a file throws when its content is not what was promised.
class BadContent : public Error {
 public:
  using Error::Error;
};

/// Fills a part of the buffer with what comes next; 0 at the end.
using ReadBytes = std::function<size_t(std::span<std::byte>)>;
/// Reads a file from its start while it comes. May be called again, after the server had the file
/// only from its start; it need not read to the end.
using Consume = std::function<void(const ReadBytes&)>;

/// Brings `partial` to the end of `file` and verifies it; `consume` (if not null) has then read
/// the verified bytes. Throws Error: what went wrong where, and what to do; the partial file stays
/// unless its content is wrong. Throws Stopped, and what `consume` throws.
void fetch_file(const RemoteFile& file, PartialFile& partial, FetchMonitor& monitor,
                const Consume& consume);

/// The sentence for a status that is no success, with what the server said.
std::string status_text(int status, const std::string& body);

}  // namespace flowqat::io
