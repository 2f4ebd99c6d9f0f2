#include "graph/json_lines.h"

#include <nlohmann/json.hpp>

#include "graph/output_error.h"

namespace flowqat::graph {

JsonLines::JsonLines(std::filesystem::path path, bool keep) : path_(std::move(path)) {
  open(keep ? std::ios::app : std::ios::trunc);
}

void JsonLines::open(std::ios::openmode mode) {
  file_.close();
  file_.clear();
  file_.open(path_, std::ios::out | mode);
  if (!file_) throw OutputError(path_.string() + ": cannot be written");
}

void JsonLines::add(const Json& line) {
  if (path_.empty()) return;
  // A path or message may hold bytes that are no UTF-8: they are replaced, never a reason to stop.
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  file_ << text << std::flush;
  if (!file_) throw OutputError(path_.string() + ": cannot be written (is the disk full?)");
  bytes_ += static_cast<int64_t>(text.size());
}

void JsonLines::cut_back(int64_t bytes) {
  bytes_ = bytes;
  if (path_.empty()) return;
  open(std::ios::app);
  std::filesystem::resize_file(path_, static_cast<uintmax_t>(bytes));
}

}  // namespace flowqat::graph
