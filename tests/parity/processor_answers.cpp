/// What a model folder's tokenizer and feature extractor make of texts, frames and audio files: a
/// JSON object a line each way.
///
///     processor_answers FOLDER
///
/// {"encode": text}, {"decode": [ids]}, {"batch": [paths]} for one padded batch, or {"save":
/// folder} to save the tokenizer there.
#include <iostream>
#include <nlohmann/json.hpp>

#include "graph/graph.h"
#include "graph/pipeline.h"
#include "nodes/support/model_folder.h"

namespace {

using namespace flowqat;
using graph::Json;

Json encode(const io::Tokenizer& tokenizer, const std::string& text) {
  flowqat::io::CharacterCounts counts;
  const auto ids = tokenizer.encode(text, &counts);
  int64_t unknown = 0;
  for (const auto& [character, times] : counts) unknown += times;
  return {{"ids", ids}, {"unknown", unknown}};
}

Json decode(const io::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  const io::DecodedText decoded = tokenizer.decode_words(ids);
  Json words = Json::array();
  for (const io::Word& word : decoded.words) {
    words.push_back({word.text, word.begin_frame, word.end_frame});
  }
  return {{"text", decoded.text}, {"words", words}};
}

Json batch(const io::FeatureExtractor& extractor, const Json& paths) {
  Json nodes{{"files", {{"type", "files"}, {"paths", paths}}},
             {"decode", {{"type", "decode"}, {"from", "files"}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "decode"}};
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "decode"},
                    {"size", paths.size()},
                    {"order", "corpus"}};
  const graph::Graph graph(graph::resolve({{"nodes", nodes}}, "processor_answers"));
  graph::DataThreads threads(1);
  graph::Ledger ledger;
  graph::Pipeline pipeline(*graph.batchers().front(), {}, threads, ledger);
  const auto made = pipeline.open("test", 0)->next();
  Json rows = Json::array();
  for (size_t row = 0; row < made->rows.size(); ++row) {
    const auto samples = made->row_samples(row);
    rows.push_back({{"samples", std::vector<float>(samples.begin(), samples.end())},
                    {"length", made->rows[row].samples},
                    {"rejected", made->rows[row].rejected.has_value()}});
  }
  return {{"rate_hz", made->rate_hz}, {"rows", rows}};
}

}  // namespace

int main(int, char** argv) {
  const auto tokenizer = io::Tokenizer::load(argv[1]);
  const auto extractor = io::FeatureExtractor::load(argv[1]);
  for (std::string line; std::getline(std::cin, line);) {
    const Json question = Json::parse(line);
    if (question.contains("encode")) {
      std::cout << encode(tokenizer, question["encode"]) << "\n";
    } else if (question.contains("save")) {
      tokenizer.save(question["save"].get<std::string>());
      std::cout << "{}\n";
    } else if (question.contains("decode")) {
      std::cout << decode(tokenizer, question["decode"]) << "\n";
    } else {
      std::cout << batch(extractor, question.at("batch")) << "\n";
    }
  }
}
