// Inference for which the device has not the memory.
#include "tests/catch.h"
#include "tests/device/on_device.h"
#include "tests/model/engine/course.h"
#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"

using namespace flowqat::model;
using namespace flowqat::test_device;

TEST_CASE(
    "inference takes rows in halves where memory runs out, and says so where one is too much") {
  const OnDevice device;
  const Golden golden("wav2vec2_tiny");
  const auto model = load_masked(golden);
  const AudioBatch batch = golden.batch();
  const Logits whole = model->infer(batch);
  for (const int64_t number : {1, 20, 60}) {
    reset_counts();
    Memory::instance().refuse(number);
    const Logits halved = model->infer(batch);
    CHECK(counts().cache_emptied == 1);
    CHECK(halved.lengths_frames == whole.lengths_frames);
    CHECK(largest_difference(as_tensor(halved), as_tensor(whole)) < 1e-5);
  }
  Memory::instance().set_limit_bytes(Memory::instance().used_bytes() + 8192);
  CHECK_THROWS_AS(model->infer(batch), OutOfMemory);
  CHECK_THROWS_WITH(model->infer(batch),
                    ContainsSubstring("inference: the device is out of memory: ") &&
                        !ContainsSubstring("frame #"));
  Memory::instance().set_limit_bytes(0);
  CHECK(model->infer(batch).values == whole.values);
}
