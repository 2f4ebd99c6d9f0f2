/// The cache of an index: with the first byte odd any bytes where its columns are to be, else the
/// record of an utterance with the right checksum.
#include "io/corpus/index_cache.h"

#include <xxhash.h>

#include "base/utterance_record.h"
#include "io/files/byte_buffer.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

namespace {

void read_cache(std::string_view bytes) {
  const auto folder = fuzz::empty_folder();
  const auto scan = [] { return io::Corpus{}; };
  io::cached_utterances(folder, "identity", scan);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) file = entry.path();
  fuzz::require(!file.empty(), "a cache that is written");
  io::ByteWriter head;
  head.add(std::string_view("flowqat index 6"));
  head.add(std::string_view("identity"));
  head.add(uint64_t{0});  // nothing is watched
  std::string whole = head.bytes();
  whole.resize((whole.size() + 63) / 64 * 64);
  fuzz::write_file(file, whole + std::string(bytes));
  fuzz::refuses_or([&] {
    fuzz::require(io::cached_utterances(folder, "identity", scan)->size() < 1000,
                  "utterances of the cache, or those of a scan");
  });
}

void read_one(std::string_view bytes) {
  const auto checksum = static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
  std::string record(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  record += bytes;
  Utterance utterance;
  try {
    read_record(record, utterance);
  } catch (const std::runtime_error&) {
    return;
  }
  fuzz::require(utterance.id.size() < record.size(), "no more text than there are bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  if ((data[0] & 1) != 0) {
    read_cache(bytes);
  } else {
    read_one(bytes);
  }
  return 0;
}
