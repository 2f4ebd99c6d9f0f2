/// vocab.json and, each behind "=====", tokenizer_config.json, special_tokens_map.json,
/// added_tokens.json, and a text.
#include "io/text/tokenizer.h"

#include "io/text/text_normalizer.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size));
  const auto folder = fuzz::empty_folder();
  const char* names[] = {"vocab.json", "tokenizer_config.json", "special_tokens_map.json",
                         "added_tokens.json"};
  for (size_t i = 0; i < std::size(names) && i < parts.size(); ++i) {
    if (!parts[i].empty()) fuzz::write_file(folder / names[i], parts[i]);
  }
  const std::string text(parts.size() > 4 ? parts[4] : parts.back());
  fuzz::refuses_or([&] {
    const io::Tokenizer tokenizer = io::Tokenizer::load(folder);
    const auto decoded = [&](const io::Tokenizer& one) {
      const io::TextNormalizer normalize(one, io::TextNormalization::vocabulary);
      return one.decode(one.encode(normalize(text)));
    };
    const std::string before = decoded(tokenizer);
    tokenizer.save(folder);
    std::filesystem::remove(folder / "added_tokens.json");
    fuzz::require(decoded(io::Tokenizer::load(folder)) == before, "the same when it is saved");
  });
  return 0;
}
