#include "cli/environment.h"

#include <unistd.h>

#include <cstdlib>

namespace flowqat::cli {

void quiet_openmp(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);
  // Without /proc the program is only slower when the machine is busy.
}

}  // namespace flowqat::cli
