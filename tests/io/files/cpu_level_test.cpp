#include "io/files/cpu_level.h"

#include <cstdlib>
#include <string>

#include "io/resample/polyphase_kernel.h"
#include "tests/catch.h"

using namespace flowqat::io;

TEST_CASE("FLOWQAT_TARGET holds the kernels to a level", "[level]") {
  const char* held = std::getenv("FLOWQAT_TARGET");
  if (held != nullptr) CHECK(name_of(cpu_level()) == held);  // tests run at levels that are reached
  const bool has_avx2 = cpu_level() >= CpuLevel::avx2;
  CHECK(instruction_sets().size() == (cpu_level() >= CpuLevel::avx512 ? 3 : has_avx2 ? 2 : 1));
  CHECK(instruction_sets().back() == best_instruction_set());
}
