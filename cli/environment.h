#pragma once

namespace flowqat::cli {

/// Makes sure that OpenMP's idle workers sleep instead of spinning, where the user has not said
/// otherwise: they share the cores with the data threads, and a spinning worker can slow a step
/// down eightfold. OpenMP reads its setting when it is loaded, which FFmpeg's libraries cause
/// before main() begins; so the program sets it and starts itself again with the same arguments.
/// Call it before anything that must not happen twice. Returns if there was nothing to do.
void quiet_openmp();

}  // namespace flowqat::cli
