/// One process at a time writes a run's folder.
#pragma once
#include <filesystem>
#include <string>

namespace flowqat::graph {

/// A lock that the system holds for the process and lets go of when that ends, however it ends: on
/// the folder, and on `run.lock` in it, which stays and says who holds it. (Network file systems
/// lock files only; a file alone could be removed while it is locked.)
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
  void take(const std::filesystem::path& run);
  void release();

  int descriptor_ = -1, folder_ = -1;
  std::string why_not_;
};

/// Throws GraphError where a process has the lock on `run`; changes nothing.
void check_lock(const std::filesystem::path& run);

/// Whether one has; false too where that cannot be seen.
bool is_locked(const std::filesystem::path& run);

}  // namespace flowqat::graph
