/// model.safetensors.index.json and, behind "=====", the first part that it may name.
#include "io/tensors/safetensors.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size));
  const auto folder = fuzz::empty_folder();
  fuzz::write_file(folder / "model.safetensors.index.json", parts[0]);
  if (parts.size() > 1) fuzz::write_file(folder / "model-1.safetensors", parts[1]);
  fuzz::refuses_or([&] { io::read_model_weights(folder); });
  return 0;
}
