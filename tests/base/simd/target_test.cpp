#include "base/simd/target.h"

#include <algorithm>
#include <string>

#include "tests/catch.h"

namespace flowqat {

TEST_CASE("target: every name leads back to its target, and no other name to any") {
  for (const Target target :
       {Target::scalar, Target::avx2, Target::avx_vnni, Target::avx512, Target::avx512_vnni,
        Target::avx512_vbmi, Target::amx, Target::neon, Target::neon_dotprod, Target::neon_i8mm}) {
    CHECK(target_of(name_of(target)) == target);
    CHECK(target_names().find(name_of(target)) != std::string::npos);
  }
  CHECK(!target_of("sse2"));
  CHECK(!target_of(""));
}

TEST_CASE("target: plain code runs everywhere, and the targets here stand in their order") {
  CHECK(runs_here(Target::scalar));
  const auto here = targets_here();
  CHECK(std::is_sorted(here.begin(), here.end()));
  CHECK(here.front() == Target::scalar);
  for (const Target target : here) CHECK(runs_here(target));
  CHECK(runs_here(best_target()));
}

TEST_CASE("target: passes are compiled for the widest registers that a target has") {
  CHECK(simd_of(Target::scalar) == Simd::scalar);
  CHECK(simd_of(Target::avx_vnni) == Simd::avx2);
  CHECK(simd_of(Target::amx) == Simd::avx512);
  CHECK(simd_of(Target::neon_i8mm) == Simd::neon);
  const auto here = simds_here();
  CHECK(here.front() == Simd::scalar);
  CHECK(here.back() == simd_of(targets_here().back()));
  CHECK(std::adjacent_find(here.begin(), here.end()) == here.end());
  CHECK(name_of(Simd::avx512) == "avx512");
}

}  // namespace flowqat
