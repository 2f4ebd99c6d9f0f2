#pragma once

namespace flowqat::cli {

/// Starts this program `count` times on this machine, with its own arguments but `--processes`, as
/// ranks that find one another through the environment as torchrun's do, and waits for all. What
/// rank 0 writes comes through; of the others what they write to standard error, each line with its
/// rank. Signals that ask to stop are handed on; a process that is left without this one is asked
/// to stop too. Where one fails the others are ended within seconds. Returns the first failure's
/// exit status (128 and the signal's number for one that was killed), else 0.
int run_processes(int count);

}  // namespace flowqat::cli
