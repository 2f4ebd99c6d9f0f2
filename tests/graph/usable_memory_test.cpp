#include "graph/usable_memory.h"

#include "tests/catch.h"

using namespace flowqat::graph;

TEST_CASE("the processes of a machine have equal parts of its memory") {
  const double whole = usable_memory_bytes();
  CHECK(whole > 0);
  CHECK(usable_memory_bytes(4) == Approx(whole / 4));
  CHECK(for_each_of(1).empty());
  CHECK(for_each_of(4) == " for each of the machine's 4 processes");
}
