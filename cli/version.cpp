/// The versions, and the level of instructions that kernels are chosen for (model/cpu_level.h).
/// CMakeLists.txt compiles this with FLOWQAT_VERSION, its own, and FLOWQAT_LIBTORCH_VERSION, that
/// of the wheel that it found.
#include "cli/version.h"

#include "graph/tbb_version.h"
#include "io/audio/ffmpeg_version.h"
#include "model/cpu_level.h"

namespace flowqat::cli {

std::string version_text() {
  return "flowqat " FLOWQAT_VERSION "\nLibTorch " FLOWQAT_LIBTORCH_VERSION "\nFFmpeg " +
         io::ffmpeg_version() + "\noneTBB " + graph::tbb_version() + "\nkernels " +
         model::name_of(model::cpu_level()) + "\n";
}

}  // namespace flowqat::cli
