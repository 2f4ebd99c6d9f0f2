/// What is wrong with a graph: all that was found, in one error.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace flowqat::graph {

class Mistakes {
 public:
  /// `file` is the graph's, with which every message begins.
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  /// Calls `look` and keeps the text of a GraphError or RunError that it throws, with `where`
  /// before that of a GraphError. A text that is there already is kept once.
  void collect(const std::function<void()>& look, const std::string& where = "");

  /// Throws one GraphError for all; returns if nothing was found.
  void throw_if_any() const;

 private:
  void keep(std::string text);

  std::string file_;
  std::vector<std::string> texts_;
};

}  // namespace flowqat::graph
