#include "nodes/training/dev_figures.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "nodes/support/heard_batch.h"

namespace flowqat::nodes {

DevFigures& DevFigures::operator+=(const DevFigures& other) {
  words += other.words;
  characters += other.characters;
  loss_sum += other.loss_sum;
  tokens += other.tokens;
  infinite_losses += other.infinite_losses;
  utterances += other.utterances;
  audio_s += other.audio_s;
  infer_s += other.infer_s;
  return *this;
}

double DevFigures::loss() const {
  if (tokens == 0) return std::numeric_limits<double>::infinity();
  return loss_sum / static_cast<double>(tokens);
}

double DevFigures::figure(const std::string& name) const {
  if (name == "loss") return loss();
  return name == "cer" ? characters.rate() : words.rate();
}

graph::Json to_json(const DevFigures& figures) {
  return {{"words", counts_json(figures.words)},
          {"characters", counts_json(figures.characters)},
          {"loss_sum", figures.loss_sum},
          {"tokens", figures.tokens},
          {"infinite_losses", figures.infinite_losses},
          {"utterances", figures.utterances},
          {"audio_s", figures.audio_s},
          {"infer_s", figures.infer_s}};
}

DevFigures dev_figures(const graph::Json& json) {
  return {.words = counts_of(json.at("words")),
          .characters = counts_of(json.at("characters")),
          .loss_sum = json.at("loss_sum"),
          .tokens = json.at("tokens"),
          .infinite_losses = json.at("infinite_losses"),
          .utterances = json.at("utterances"),
          .audio_s = json.at("audio_s"),
          .infer_s = json.at("infer_s")};
}

}  // namespace flowqat::nodes
