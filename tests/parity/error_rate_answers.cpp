/// What nodes/support/error_rate.h makes of the pairs on standard input, a JSON object a line each
/// way.
#include <iostream>
#include <nlohmann/json.hpp>

#include "nodes/support/error_rate.h"

namespace {

using flowqat::nodes::Alignment;
using flowqat::nodes::ErrorCounts;

nlohmann::json as_json(const Alignment& alignment) {
  const ErrorCounts counts = alignment.counts();
  std::string edits;
  for (const auto edit : alignment.edits) edits += "HSDI"[static_cast<size_t>(edit)];
  return {{"counts", {counts.hits, counts.substitutions, counts.deletions, counts.insertions}},
          {"rate", counts.rate()},
          {"edits", edits}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto pair = nlohmann::json::parse(line);
    const std::string reference = pair.at("reference"), hypothesis = pair.at("hypothesis");
    const nlohmann::json answer{
        {"words", as_json(flowqat::nodes::align_words(reference, hypothesis))},
        {"characters", as_json(flowqat::nodes::align_characters(reference, hypothesis))}};
    std::cout << answer << "\n";
  }
}
