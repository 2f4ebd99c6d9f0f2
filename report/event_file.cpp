#include "report/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "graph/output_error.h"
#include "graph/run_files.h"
#include "report/event_record.h"

namespace flowqat::report {
namespace fs = std::filesystem;
namespace {

constexpr size_t buffer_bytes = 1 << 20;

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw graph::OutputError(path.string() + ": " + what + ": " +
                           std::generic_category().message(errno));
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The files of the run, the oldest first.
std::vector<fs::path> event_files(const fs::path& run) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(graph::kEventsBegin) && name.ends_with(graph::kEventsEnd)) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

EventFile::EventFile(fs::path run)
    : run_(std::move(run)),
      // Not a name that TensorBoard would take for an event file.
      partial_(run_ / (std::string(graph::kEventsPartial))),
      before_(event_files(run_)),
      number_(static_cast<int64_t>(now_s())) {
  for (const fs::path& path : before_) {
    const std::string name = path.filename().string();
    number_ = std::max<int64_t>(
        number_, std::atoll(name.c_str() + std::string_view(graph::kEventsBegin).size()) + 1);
  }
  if (!before_.empty()) times_ = record_times(before_.back());
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(partial_, "cannot be written");
  write(version_record(next_time()));
}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

double EventFile::next_time() {
  const size_t record = records_++;
  return record < times_.size() ? times_[record] : now_s();
}

void EventFile::put_in_place() {
  flush();
  const fs::path path = run_ / (graph::kEventsBegin + std::to_string(number_) + graph::kEventsEnd);
  if (::rename(partial_.c_str(), path.c_str()) != 0) fail(path, "cannot be put in place");
  partial_ = path;
  in_place_ = true;
  times_ = {};
  for (const fs::path& old : before_) {
    if (::unlink(old.c_str()) != 0 && errno != ENOENT) fail(old, "cannot be removed");
  }
}

void EventFile::add(const graph::Json& line) {
  const int64_t step = steps_.step_of(line);
  write(scalars_record(next_time(), step, scalars_of(line)));
}

void EventFile::write(const std::string& record) {
  waiting_ += record;
  if (in_place_ || waiting_.size() > buffer_bytes) flush();
}

void EventFile::flush() {
  for (std::string_view left = waiting_; !left.empty();) {
    const ssize_t count = ::write(descriptor_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(partial_, "cannot be written");
    left.remove_prefix(static_cast<size_t>(count));
  }
  waiting_.clear();
}

}  // namespace flowqat::report
