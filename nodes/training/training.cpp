#include "nodes/training/training.h"

#include <nlohmann/json.hpp>

namespace flowqat::nodes {

graph::Json Attendant::state() const { return nullptr; }

void Training::count_time() {
  const auto now = std::chrono::steady_clock::now();
  if (counted_until != std::chrono::steady_clock::time_point()) {
    progress.wall_s += std::chrono::duration<double>(now - counted_until).count();
  }
  counted_until = now;
}

void Training::meet() {
  double sums[] = {counted.audio_s, static_cast<double>(counted.too_short),
                   static_cast<double>(counted.too_long)};
  context.together().agree(sums);
  progress.audio_s += sums[0];
  progress.too_short += static_cast<int64_t>(sums[1]);
  progress.too_long += static_cast<int64_t>(sums[2]);
  counted = {};
}

graph::Json Training::saved() const {
  graph::Json kept = graph::Json::object();
  for (const auto& attendant : attendants) {
    if (!attendant->key().empty()) kept[attendant->key()] = attendant->state();
  }
  return {{"progress", nlohmann::json(progress)},
          {"is_within_round", is_within_round},
          {"steps", steps},
          {"epochs", epochs},
          {"attendants", kept}};
}

std::vector<int64_t> Training::needs() const {
  std::vector<int64_t> all;
  for (const auto& attendant : attendants) {
    const std::vector<int64_t> needed = attendant->needs();
    all.insert(all.end(), needed.begin(), needed.end());
  }
  return all;
}

void Training::restore(const graph::Json& saved) {
  progress = nlohmann::json(saved.at("progress")).get<Progress>();
  is_within_round = saved.at("is_within_round").get<bool>();
  const graph::Json& kept = saved.at("attendants");
  for (const auto& attendant : attendants) {
    const auto found = kept.find(attendant->key());
    if (found != kept.end()) attendant->restore(*found);
  }
}

}  // namespace flowqat::nodes
