#include "model/cpu_level.h"

#include <cstdlib>
#include <string>

#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

TEST_CASE("a level holds our kernels and LibTorch's", "[level]") {
  const char* held = std::getenv("FLOWQAT_TARGET");
  if (held == nullptr) return;
  CHECK(name_of(cpu_level()) == held);  // tests run at levels that are reached
  const std::string expected = cpu_level() == CpuLevel::scalar ? "DEFAULT"
                               : cpu_level() == CpuLevel::avx2 ? "AVX2"
                                                               : "AVX512";
  CHECK(test_engine().instruction_set() == expected);
}
