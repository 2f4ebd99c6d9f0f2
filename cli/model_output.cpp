#include "cli/model_output.h"

#include "graph/error.h"

namespace flowqat::cli {

namespace fs = std::filesystem;

void check_model_output(const fs::path& model, const std::string& out, bool overwrite) {
  if (!fs::exists(out)) return;
  const std::string where = "--out " + out + ": ";
  if (!overwrite) {
    throw graph::GraphError(where + "is already there; choose another name, or add --overwrite");
  }
  if (fs::equivalent(out, model)) {
    throw graph::GraphError(where + "is the folder of the model that is read; choose another one");
  }
  if (!fs::is_directory(out) ||
      (!fs::is_empty(out) && !fs::exists(fs::path(out) / "config.json"))) {
    throw graph::GraphError(where + "is no model folder, so --overwrite does not replace it");
  }
}

}  // namespace flowqat::cli
