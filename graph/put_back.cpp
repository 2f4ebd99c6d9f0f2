/// Batches that a step has drawn, and gives back for whoever goes on from where it ends.
#include <nlohmann/json.hpp>

#include "graph/run.h"

namespace flowqat::graph {

Json StepContext::drawn() const {
  return {{"ledger", ledger_.state()}, {"rejections", rejections_.state()}};
}

void StepContext::put_back(const Json& drawn) {
  ledger_.go_back(drawn.at("ledger"));
  rejections_.restore(drawn.at("rejections"));
}

}  // namespace flowqat::graph
