/// Lines, compressed or not; each as a transcript and as a pattern of shards.
#include "io/corpus/shard_paths.h"
#include "io/files/line_reader.h"
#include "io/text/text_normalizer.h"
#include "io/text/unicode.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const io::Tokenizer tokenizer = io::Tokenizer::base_960h();
  static const io::TextNormalizer normalize(tokenizer, io::TextNormalization::vocabulary);
  const auto file = fuzz::file_of(fuzz::text_of(data, size));
  fuzz::refuses_or([&] {
    io::LineReader lines(file);
    for (std::string line; lines.next(line);) {
      // A million paths take a second.
      if (line.size() < 40) fuzz::refuses_or([&] { io::expand_braces(line); });
      fuzz::refuses_or([&] {
        fuzz::require(io::to_utf8(io::from_utf8(line)) == line, "the same text again");
        const std::string once = normalize(line);
        fuzz::require(normalize(once) == once, "a text that is normalized stays so");
        tokenizer.decode(tokenizer.encode(once));
      });
    }
  });
  return 0;
}
