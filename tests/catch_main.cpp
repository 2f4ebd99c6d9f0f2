/// The main of every test program. A test that cannot run here says so with skip(), and the program
/// then ends with the status by which CTest tells a skipped test from a passed one.
#include <cstdio>

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#endif
#include "tests/catch.h"
#include "tests/skip.h"

namespace {

constexpr int kSkippedStatus = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt
int skips = 0;

}  // namespace

void flowqat::testing::skip(const std::string& reason) {
  ++skips;
  std::printf("skipped: %s\n", reason.c_str());
  std::fflush(stdout);
  SUCCEED();
}

int main(int count, char** arguments) {
  const int status = Catch::Session().run(count, arguments);
  return status == 0 && skips > 0 ? kSkippedStatus : status;
}
