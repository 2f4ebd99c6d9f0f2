/// The rooms of the int8 runtime: no include runs up.
#include "tests/architecture/rooms.h"
#include "tests/catch.h"

using namespace flowqat::testing;

TEST_CASE("the rooms of the runtime include only what lies below them") {
  const std::filesystem::path root = FLOWQAT_SOURCE_DIR;
  const Floors floors{
      {"kernels", {}},
      {"compute", {"kernels"}},
      {"layers", {"kernels", "compute"}},
      {"network", {"kernels", "compute", "layers"}},
  };
  // The room's own face lies in front of all of them.
  for (const std::string& wrong : wrong_includes(root, "runtime", floors)) {
    CHECK_THAT(wrong, Catch::Matchers::StartsWith("runtime/acoustic_model."));
  }
}
