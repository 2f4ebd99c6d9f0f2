#include "nodes/support/heard_batch.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"

namespace flowqat::nodes {
namespace {

graph::Json as_json(const HeardBatch& batch) {
  graph::Json utterances = graph::Json::array();
  for (const HeardBatch::Utterance& heard : batch.utterances) {
    utterances.push_back(
        {heard.row, counts_json(heard.words), counts_json(heard.characters), heard.line});
  }
  return {batch.number, batch.rows, batch.audio_s, batch.infer_s, std::move(utterances)};
}

HeardBatch batch_of(const graph::Json& json) {
  HeardBatch batch{
      .number = json.at(0), .rows = json.at(1), .audio_s = json.at(2), .infer_s = json.at(3)};
  for (const graph::Json& heard : json.at(4)) {
    batch.utterances.push_back({.row = heard.at(0),
                                .words = counts_of(heard.at(1)),
                                .characters = counts_of(heard.at(2)),
                                .line = heard.at(3)});
  }
  return batch;
}

}  // namespace

graph::Json counts_json(const ErrorCounts& counts) {
  return {counts.hits, counts.substitutions, counts.deletions, counts.insertions};
}

ErrorCounts counts_of(const graph::Json& json) { return {json[0], json[1], json[2], json[3]}; }

std::string to_text(const std::vector<HeardBatch>& batches) {
  graph::Json all = graph::Json::array();
  for (const HeardBatch& batch : batches) all.push_back(as_json(batch));
  return all.dump(-1, ' ', false, graph::Json::error_handler_t::replace);
}

std::vector<HeardBatch> in_order(const std::vector<std::string>& of_all) {
  std::vector<HeardBatch> batches;
  for (const std::string& text : of_all) {
    for (const graph::Json& batch : parse_json<graph::Json>(text))
      batches.push_back(batch_of(batch));
  }
  std::ranges::sort(batches, {}, &HeardBatch::number);
  return batches;
}

double longest_infer_s(const std::vector<std::string>& of_all) {
  double longest = 0;
  for (const std::string& text : of_all) {
    double own = 0;
    for (const graph::Json& batch : parse_json<graph::Json>(text)) own += batch_of(batch).infer_s;
    longest = std::max(longest, own);
  }
  return longest;
}

}  // namespace flowqat::nodes
