/// CMakeLists.txt compiles this with FLOWQAT_VERSION, its own, and FLOWQAT_LIBTORCH_VERSION, that
/// of the wheel that it found.
#include "cli/version.h"

#include "graph/tbb_version.h"
#include "io/audio/ffmpeg_version.h"

namespace flowqat::cli {
namespace {

/// "x86-64 with AVX2, AVX-512"
std::string processor() {
#ifdef __x86_64__
  std::string text = "x86-64";
  const auto add = [&text](bool has, const char* name) {
    if (has) text += std::string(text == "x86-64" ? " with " : ", ") + name;
  };
  add(__builtin_cpu_supports("avx2"), "AVX2");
  add(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"), "AVX-512");
  add(__builtin_cpu_supports("avx512vnni"), "VNNI");
  return text;
#else
  return "not x86-64: no kernels of its own";
#endif
}

}  // namespace

std::string version_text() {
  return "flowqat " FLOWQAT_VERSION "\nLibTorch " FLOWQAT_LIBTORCH_VERSION "\nFFmpeg " +
         io::ffmpeg_version() + "\noneTBB " + graph::tbb_version() + "\nprocessor: " + processor() +
         "\n";
}

}  // namespace flowqat::cli
