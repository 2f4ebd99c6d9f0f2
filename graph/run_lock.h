/// One process at a time writes a run's folder.
#pragma once
#include <filesystem>
#include <string>

namespace flowqat::graph {

/// A lock that the system holds for the process and lets go of when that ends, however it ends: the
/// file that stays, `run.lock`, only says who holds it.
class RunLock {
 public:
  /// Throws GraphError where another process has the lock, naming it; OutputError.
  explicit RunLock(const std::filesystem::path& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Why the folder could not be locked, on a file system that knows no locks; empty: it is.
  const std::string& why_not() const { return why_not_; }

 private:
  int descriptor_ = -1;
  std::string why_not_;
};

/// Throws GraphError where a process has the lock on `run`; changes nothing.
void check_lock(const std::filesystem::path& run);

}  // namespace flowqat::graph
