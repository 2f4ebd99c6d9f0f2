/// The transcripts of a folder in LibriSpeech's layout.
#include "io/corpus/librispeech.h"

#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto root = fuzz::empty_folder();
  const auto chapter = root / "dev" / "1" / "2";
  std::filesystem::create_directories(chapter);
  fuzz::write_file(chapter / "1-2.trans.txt", fuzz::text_of(data, size));
  fuzz::write_file(chapter / "1-2-0000.flac", "fLaC");
  fuzz::refuses_or([&] { io::scan_librispeech(root, {}, 1); });
  return 0;
}
