#include "cli/given_model.h"

#include "cli/signals.h"
#include "graph/error.h"
#include "graph/fetch.h"
#include "io/files/error.h"
#include "nodes/support/fetching.h"
#include "nodes/support/model_place.h"

namespace flowqat::cli {
namespace {

nodes::ModelPlace place_of(const std::string& given) {
  try {
    return nodes::model_place(given, "");
  } catch (const io::Error& error) {
    throw graph::GraphError(error.what());
  }
}

}  // namespace

std::filesystem::path folder_of_model(const std::string& given, Terminal& terminal) {
  const nodes::ModelPlace place = place_of(given);
  if (place.to_fetch)
    return nodes::fetched_model(*place.to_fetch, {terminal, catch_stop_signals()});
  if (std::filesystem::is_directory(place.folder)) return place.folder;
  throw graph::GraphError(
      given + (std::filesystem::exists(place.folder) ? ": is a file" : ": no such folder") +
      "; expected the folder of a wav2vec2 model, with config.json in it, or an id on the Hugging "
      "Face Hub such as facebook/wav2vec2-base-960h");
}

}  // namespace flowqat::cli
