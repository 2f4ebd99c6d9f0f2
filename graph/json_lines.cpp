#include "graph/json_lines.h"

#include <nlohmann/json.hpp>

#include "graph/output_error.h"
#include "graph/plain_numbers.h"

namespace flowqat::graph {

std::string json_line(const Json& json) {
  return rounded(json).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

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
  const std::string text = json_line(line);
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
