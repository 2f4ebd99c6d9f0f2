#include "runtime/kernels/self_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"

using namespace flowqat;
using namespace flowqat::runtime;

namespace {

/// Plain code that forgets the last group of the depth, as a kernel with a wrong rest would.
void forget_the_rest(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
                     int64_t groups, int32_t* sums) {
  kScalarTile.run(rows, columns, a, stride, b, groups - 1, sums);
}

/// Sums that saturate at 16 bits, as those of pairs of bytes would.
void saturate(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
              int64_t groups, int32_t* sums) {
  kScalarTile.run(rows, columns, a, stride, b, groups, sums);
  for (int64_t i = 0; i < rows * columns; ++i) sums[i] = std::min(sums[i], 32767);
}

/// Right but for the last of several rows.
void forget_a_row(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
                  int64_t groups, int32_t* sums) {
  kScalarTile.run(rows, columns, a, stride, b, groups, sums);
  if (rows == 3) sums[2 * columns] = 0;
}

Int8Tile plain_with(decltype(Int8Tile::run) run) {
  Int8Tile tile = kScalarTile;
  tile.run = run;
  return tile;
}

}  // namespace

TEST_CASE("every target's kernels pass their own check") {
  for (const Target target : targets_here()) {
    INFO(name_of(target));
    CHECK(wrong_kernel(target).empty());
  }
  CHECK(best_right_target() == best_target());
}

TEST_CASE("a tile that is wrong in a corner does not pass") {
  CHECK(is_right(kScalarTile));
  CHECK_FALSE(is_right(plain_with(forget_the_rest)));
  CHECK_FALSE(is_right(plain_with(saturate)));
  CHECK_FALSE(is_right(plain_with(forget_a_row)));
}

TEST_CASE("where a target's kernels are wrong, the next slower one is taken and told of") {
  const std::vector<Target> here{Target::scalar, Target::avx2, Target::avx512, Target::amx};
  std::vector<Target> told;
  const auto tell = [&](Target target, const std::string& wrong) {
    CHECK(wrong == "AMX");
    told.push_back(target);
  };
  const auto wrong_above = [](Target limit) {
    return [limit](Target target) { return std::string(target > limit ? "AMX" : ""); };
  };
  CHECK(first_right(here, Target::amx, wrong_above(Target::avx2), tell) == Target::avx2);
  CHECK(told == std::vector<Target>{Target::amx, Target::avx512});
  told.clear();
  CHECK(first_right(here, Target::avx512, wrong_above(Target::amx), tell) == Target::avx512);
  CHECK(told.empty());
  CHECK(first_right(
            here, Target::avx2, [](Target) { return std::string("AMX"); }, tell) == Target::scalar);
}

#if defined(__x86_64__)
TEST_CASE("256 bits of VNNI in the form of AVX-512 are right, where AVX-VNNI's cannot run") {
  if (!runs_here(Target::avx512_vnni)) return;
  CHECK(is_right(kAvx512VlVnniTile));
}
#endif
