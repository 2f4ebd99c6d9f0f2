#include <cstdlib>
#include <string>

#include "base/simd/target.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat;

TEST_CASE("a level holds our kernels and LibTorch's", "[level]") {
  const char* held = std::getenv("FLOWQAT_TARGET");
  if (held == nullptr) return;
  CHECK(name_of(best_target()) == held);  // tests run at levels that are reached
  const Simd simd = simd_of(best_target());
  const std::string expected = simd == Simd::scalar ? "DEFAULT"
                               : simd == Simd::avx2 ? "AVX2"
                                                    : "AVX512";
  CHECK(model::test_engine().instruction_set() == expected);
}
