/// The JSON files of a run's folder, as resuming reads them.
#include <nlohmann/json.hpp>

#include "graph/whole_files.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = fuzz::file_of(fuzz::text_of(data, size));
  fuzz::refuses_or([&] { graph::read_json(file); });
  return 0;
}
