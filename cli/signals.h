#pragma once
#include <atomic>

namespace flowqat::cli {

/// From now on a signal that asks to stop (SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU) is
/// only noted here, so that work is saved and the program ends in order; the next one ends it at
/// once. With `saves` the second one waits for what is being saved, and the third ends the program:
/// a closed terminal and some schedulers send two in a row. SIGHUP stays ignored where it was
/// (nohup).
const std::atomic<int>& catch_stop_signals(bool saves = false);

}  // namespace flowqat::cli
