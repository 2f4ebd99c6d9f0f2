/// preprocessor_config.json, and behind "=====" processor_config.json.
#include "io/text/processor.h"

#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size));
  const auto folder = fuzz::empty_folder();
  fuzz::write_file(folder / "preprocessor_config.json", parts[0]);
  if (parts.size() > 1) fuzz::write_file(folder / "processor_config.json", parts[1]);
  fuzz::refuses_or([&] {
    const auto extractor = io::FeatureExtractor::load(folder);
    extractor.save(folder);
    fuzz::require(io::FeatureExtractor::load(folder) == extractor, "the same when it is saved");
  });
  return 0;
}
