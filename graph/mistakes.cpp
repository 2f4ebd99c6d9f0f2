#include "graph/mistakes.h"

#include <algorithm>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {

void Mistakes::collect(const std::function<void()>& look, const std::string& where) {
  try {
    look();
  } catch (const GraphError& error) {
    keep(where + error.what());
  } catch (const RunError& error) {
    keep(error.what());
  }
}

void Mistakes::keep(std::string text) {
  text = one_line(std::move(text));  // it may quote what is in files
  if (std::find(texts_.begin(), texts_.end(), text) == texts_.end()) {
    texts_.push_back(std::move(text));
  }
}

void Mistakes::throw_if_any() const {
  if (texts_.empty()) return;
  std::string all = file_ + ": ";
  if (texts_.size() == 1) {
    all += texts_.front();
  } else {
    all += std::to_string(texts_.size()) + " mistakes:";
    for (const std::string& text : texts_) all += "\n  " + text;
  }
  throw GraphError(all);
}

}  // namespace flowqat::graph
