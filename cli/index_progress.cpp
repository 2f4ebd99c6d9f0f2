#include "cli/index_progress.h"

#include "cli/signals.h"
#include "graph/error.h"

namespace flowqat::cli {

graph::IndexProgress index_progress(graph::Reporter& reporter, const std::string& what) {
  const std::atomic<int>& stop_signal = catch_stop_signals();
  const std::string reading = what.empty() ? "reading the index" : what + ": reading the index";
  return [&reporter, &stop_signal, reading](int64_t done, int64_t total) {
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
    reporter.progress({.what = reading, .done = done, .total = total, .unit = "files"});
  };
}

}  // namespace flowqat::cli
