/// A tar file of utterances: its members, their JSON and texts, and the headers of their audio.
#include "io/corpus/shards.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = fuzz::file_of(fuzz::text_of(data, size));
  fuzz::refuses_or([&] {
    for (const io::CorpusEntry& entry : io::scan_shards({file.string()}, 1).entries) {
      const io::AudioPlace& place = entry.place;
      fuzz::require(place.first_byte >= 0 && place.bytes >= 0 &&
                        place.first_byte + place.bytes <= static_cast<int64_t>(size),
                    "audio that lies in the file");
    }
  });
  return 0;
}
