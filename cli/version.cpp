/// The versions, and the target that kernels are chosen for (base/simd/target.h).
/// CMakeLists.txt compiles this with FLOWQAT_VERSION, its own, and FLOWQAT_LIBTORCH_VERSION, that
/// of the wheel that it found.
#include "cli/version.h"

#include "base/simd/target.h"
#include "graph/tbb_version.h"
#include "io/audio/ffmpeg_version.h"

namespace flowqat::cli {

std::string version_text() {
  return "flowqat " FLOWQAT_VERSION "\nLibTorch " FLOWQAT_LIBTORCH_VERSION "\nFFmpeg " +
         io::ffmpeg_version() + "\noneTBB " + graph::tbb_version() + "\nkernels " +
         std::string(name_of(best_target())) + "\n";
}

}  // namespace flowqat::cli
