/// A model's config.json, and the geometry that follows from it.
#include <nlohmann/json.hpp>

#include "model/config.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = fuzz::file_of(fuzz::text_of(data, size));
  fuzz::refuses_or([&] {
    const model::Config config = model::Config::from_file(file);
    const int64_t shortest = model::shortest_samples(config);
    fuzz::require(shortest > 0 && model::frames_of(config, shortest) == 1, "a first frame");
    fuzz::require(model::frames_of(config, shortest - 1) == 0, "none before it");
    fuzz::require(model::frames_of(config, int64_t{1} << 40) >= 1, "frames");
    const model::Config again = model::Config::from_json(config.saved_json(true));
    fuzz::require(again.conv_kernel == config.conv_kernel, "the same when it is saved");
  });
  return 0;
}
