/// An archive from the network, unpacked: nothing is written outside of its folder.
#include <algorithm>
#include <cstring>

#include "io/fetch/extract_tar.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto folder = fuzz::empty_folder();
  std::filesystem::create_directory(folder / "inside");
  size_t at = 0;
  const io::ReadBytes read = [&](std::span<std::byte> bytes) {
    const size_t count = std::min(bytes.size(), size - at);
    std::memcpy(bytes.data(), data + at, count);
    at += count;
    return count;
  };
  fuzz::refuses_or([&] { io::extract_tar(read, folder / "inside"); });
  size_t others = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    others += entry.path().filename() == "inside" ? 0 : 1;
  }
  fuzz::require(others == 0, "nothing beside the folder");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    fuzz::require(entry.is_regular_file() || entry.is_directory(), "files and folders alone");
    fuzz::require(!entry.is_symlink(), "no links");
  }
  return 0;
}
