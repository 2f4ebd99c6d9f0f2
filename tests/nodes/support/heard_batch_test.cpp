#include "nodes/support/heard_batch.h"

#include "tests/catch.h"

using namespace flowqat::nodes;

TEST_CASE(
    "what several processes heard is put in order, and takes as long as the slowest of them") {
  const HeardBatch first{.number = 0, .rows = 2, .audio_s = 3, .infer_s = 0.25},
      second{.number = 1, .rows = 1, .audio_s = 2, .infer_s = 1.5},
      third{.number = 2, .rows = 1, .audio_s = 1, .infer_s = 0.5};
  const std::vector<std::string> of_all = {to_text({first, third}), to_text({second}), to_text({})};
  const std::vector<HeardBatch> batches = in_order(of_all);
  REQUIRE(batches.size() == 3);
  CHECK(batches[1].number == 1);
  CHECK(batches[1].audio_s == 2);
  CHECK(longest_infer_s(of_all) == 1.5);
}
