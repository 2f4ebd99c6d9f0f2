#pragma once
#include <atomic>

namespace flowqat::cli {

/// From now on SIGINT and SIGTERM are only noted here, so that the run can save and end; the second
/// one ends the program at once. SIGXFSZ is ignored.
const std::atomic<int>& catch_stop_signals();

}  // namespace flowqat::cli
