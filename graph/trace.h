/// Every piece of a run's work as an event with its thread and times, for chrome://tracing and
/// https://ui.perfetto.dev.
#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace flowqat::graph {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  /// `nodes` are the names that positions stand for.
  explicit Trace(std::vector<std::string> nodes);
  ~Trace();

  /// Thread-safe, without locks: each thread has a list of its own.
  /// A thread that has noted a million events drops further ones.
  void note(size_t position, const std::string& utterance, Clock::time_point begun,
            Clock::time_point ended);

  size_t events() const;
  /// In the Trace Event Format (JSON object form, complete events). Throws OutputError when the
  /// file cannot be written.
  void write(const std::filesystem::path& file) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowqat::graph
