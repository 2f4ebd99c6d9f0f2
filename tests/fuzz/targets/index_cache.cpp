/// The cache of an index: with the first byte odd any bytes, else entries with the right digest.
#include "io/corpus/index_cache.h"

#include <xxhash.h>

#include "io/files/byte_buffer.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto folder = fuzz::empty_folder();
  const io::Corpus scanned;
  const auto scan = [&] { return scanned; };
  io::cached_corpus(folder, "identity", scan);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) file = entry.path();
  fuzz::require(!file.empty(), "a cache that is written");
  const std::string_view bytes = fuzz::text_of(data + 2, size - 2);
  io::ByteWriter whole;
  whole.add(std::string_view("flowqat index 1"));
  whole.add(std::string_view("identity"));
  whole.add(uint64_t{0});  // nothing is watched
  whole.add(static_cast<uint64_t>(XXH3_64bits(bytes.data(), bytes.size())));
  whole.add(uint64_t{data[1]});
  const bool any = (data[0] & 1) != 0;
  fuzz::write_file(file, any ? std::string(bytes) : whole.bytes() + std::string(bytes));
  fuzz::refuses_or([&] {
    fuzz::require(io::cached_corpus(folder, "identity", scan).entries.size() <= data[1],
                  "entries of the cache, or those of a scan");
  });
  return 0;
}
