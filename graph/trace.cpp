#include "graph/trace.h"

#include <tbb/enumerable_thread_specific.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "graph/output_error.h"
#include "graph/params.h"

namespace flowqat::graph {
namespace {

constexpr size_t most_events = 1'000'000;  // of one thread: 60 MB and more

struct Event {
  size_t position;
  std::string utterance;
  Trace::Clock::time_point begun, ended;
};

double in_us(Trace::Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

}  // namespace

class Trace::Impl {
 public:
  std::vector<std::string> nodes;
  Clock::time_point start = Clock::now();
  tbb::enumerable_thread_specific<std::vector<Event>> threads;
};

Trace::Trace(std::vector<std::string> nodes) : impl_(std::make_unique<Impl>()) {
  impl_->nodes = std::move(nodes);
}

Trace::~Trace() = default;

void Trace::note(size_t position, const std::string& utterance, Clock::time_point begun,
                 Clock::time_point ended) {
  std::vector<Event>& events = impl_->threads.local();
  if (events.size() < most_events) events.push_back({position, utterance, begun, ended});
}

size_t Trace::events() const {
  size_t count = 0;
  for (const auto& thread : impl_->threads) count += thread.size();
  return count;
}

void Trace::write(const std::filesystem::path& file) const {
  errno = 0;
  std::ofstream out(file);
  out << "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  const char* between = "\n";
  int thread_number = 0;
  for (const auto& thread : impl_->threads) {
    ++thread_number;
    out << between
        << Json{{"ph", "M"},
                {"name", "thread_name"},
                {"pid", 1},
                {"tid", thread_number},
                {"args", {{"name", "data " + std::to_string(thread_number)}}}}
               .dump();
    between = ",\n";
    for (const Event& event : thread) {
      out << between
          << Json{{"ph", "X"},
                  {"name", impl_->nodes[event.position]},
                  {"pid", 1},
                  {"tid", thread_number},
                  {"ts", in_us(event.begun - impl_->start)},
                  {"dur", in_us(event.ended - event.begun)},
                  {"args", {{"utterance", event.utterance}}}}
                 .dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }
  out << "\n]}\n";
  out.close();
  if (!out) {
    throw OutputError(file.string() + ": the trace cannot be written there: " +
                      std::generic_category().message(errno));
  }
}

}  // namespace flowqat::graph
