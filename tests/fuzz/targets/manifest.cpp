/// A manifest of any format, which the first byte names. Audio that it names is not there.
#include "io/corpus/manifest.h"

#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  io::ManifestOptions options;
  options.format = static_cast<io::ManifestFormat>(data[0] % io::manifest_format_names().size());
  options.audio_root = "/no/such/folder";
  const auto file = fuzz::file_of(fuzz::text_of(data + 1, size - 1));
  fuzz::refuses_or([&] { io::scan_manifest(file, options, 1); });
  return 0;
}
