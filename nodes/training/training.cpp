#include "nodes/training/training.h"

#include <nlohmann/json.hpp>

namespace flowqat::nodes {

graph::Json Attendant::state() const { return nullptr; }

graph::Json Training::saved() const {
  graph::Json kept = graph::Json::object();
  for (const auto& attendant : attendants) {
    if (!attendant->key().empty()) kept[attendant->key()] = attendant->state();
  }
  return {{"progress", nlohmann::json(progress)}, {"attendants", kept}};
}

void Training::restore(const graph::Json& saved) {
  progress = nlohmann::json(saved.at("progress")).get<Progress>();
  const graph::Json& kept = saved.at("attendants");
  for (const auto& attendant : attendants) {
    const auto found = kept.find(attendant->key());
    if (found != kept.end()) attendant->restore(*found);
  }
}

}  // namespace flowqat::nodes
