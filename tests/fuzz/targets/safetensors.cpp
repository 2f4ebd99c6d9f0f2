/// A safetensors file; all bytes that its tensors say are theirs are read.
#include "io/tensors/safetensors.h"

#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = fuzz::file_of(fuzz::text_of(data, size));
  fuzz::refuses_or([&] {
    size_t bytes = 0;
    const auto tensors = io::read_safetensors(file);
    for (const io::Tensor& tensor : tensors) {
      for (const std::byte byte : tensor.bytes) bytes += byte == std::byte{0} ? 0 : 1;
    }
    fuzz::require(bytes <= size, "bytes of the file");
  });
  return 0;
}
