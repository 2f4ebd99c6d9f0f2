// What an inference of the runtime asks of the heap, once it knows a length.
#include <cstdlib>
#include <new>

#include "runtime/acoustic_model.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

namespace {

thread_local bool counting = false;
thread_local int allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (counting) ++allocations;
  void* const memory =
      std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size == 0 ? 1 : size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace flowqat;
using namespace flowqat::model;

TEST_CASE("a length that was heard before is heard again without an allocation but the logits") {
  const Golden golden("wav2vec2_tiny");
  const auto calibrated = golden.load(true);
  calibrated->insert_fake_quantizers({});
  calibrated->observe(golden.batch());
  calibrated->finish_calibration();
  const auto int8 = calibrated->convert();
  runtime::Options options;
  options.threads = 1;
  const auto model = runtime::load(int8->config(), int8->tensors(), int8->quantization(), options);
  const AudioBatch batch = golden.batch();
  const auto allocations_of = [&] {
    allocations = 0;
    counting = true;
    const Logits logits = model->infer(batch);
    counting = false;
    return allocations;
  };
  const int first = allocations_of();
  const int later = allocations_of();
  CHECK(first > later);
  CHECK(later <= 4);  // the scores, and the rows' lengths as they are counted up to three
  CHECK(allocations_of() == later);
}
