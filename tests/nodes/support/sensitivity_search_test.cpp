#include "nodes/support/sensitivity_search.h"

#include <algorithm>
#include <map>

#include "tests/catch.h"

using namespace flowqat;
using namespace flowqat::nodes;

namespace {

const Layers kLayers = {"wav2vec2.feature_extractor.conv_layers.0.conv",
                        "wav2vec2.feature_extractor.conv_layers.1.conv",
                        "wav2vec2.feature_projection.projection",
                        "wav2vec2.encoder.layers.0.attention.q_proj",
                        "wav2vec2.encoder.layers.0.feed_forward.output_dense",
                        "lm_head"};

/// Units a, b, ... of one layer each, whose damages add up.
struct Additive {
  std::map<std::string, double> damage;
  std::vector<Layers> asked = {};

  std::vector<Unit> worst_first() const {
    std::vector<Unit> units;
    for (const auto& [name, wer] : damage) units.push_back({name, {name}, 0.1 + wer, wer});
    sort_worst_first(units);
    return units;
  }
  double operator()(const Layers& quantized) {
    asked.push_back(quantized);
    double wer = 0.1;
    for (const std::string& layer : quantized) wer += damage.at(layer);
    return wer;
  }
};

Proposal proposal_for(Additive& costs, double highest_wer) {
  return propose(costs.worst_first(), highest_wer, std::ref(costs));
}

}  // namespace

TEST_CASE("units are the layers, or the parts, that a policy quantizes") {
  const model::Policy policy;  // convolutions, attention and feed-forward
  const std::vector<Unit> single = units_of(policy, kLayers, false);
  REQUIRE(single.size() == 4);
  CHECK(single[0].name == kLayers[0]);
  CHECK(single[3].layers == Layers{kLayers[4]});
  const std::vector<Unit> parts = units_of(policy, kLayers, true);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].name == "feature_extractor");
  CHECK(parts[0].layers == Layers{kLayers[0], kLayers[1]});
  CHECK(parts[1].layers == Layers{kLayers[3]});

  model::Policy excepted;
  excepted.attention = std::nullopt;
  excepted.exceptions = {{"*.conv_layers.0.conv", std::nullopt},
                         {"lm_head", model::preset("fbgemm")}};
  const std::vector<Unit> others = units_of(excepted, kLayers, true);
  REQUIRE(others.size() == 3);
  CHECK(others[0].layers == Layers{kLayers[1]});
  CHECK(others[2].name == "head");
}

TEST_CASE("the worst comes first: by WER, then by logit error") {
  std::vector<Unit> units = {{"a", {}, 0.2, 0.5}, {"b", {}, 0.3, 0.1}, {"c", {}, 0.2, 0.9}};
  sort_worst_first(units);
  CHECK(units[0].name == "b");
  CHECK(units[1].name == "c");
  CHECK(units[2].name == "a");
}

TEST_CASE("where all units are within the budget, one evaluation is enough") {
  Additive costs{{{"a", 0.01}, {"b", 0.02}}};
  const Proposal proposal = proposal_for(costs, 0.14);
  CHECK(proposal.in_float.empty());
  CHECK(proposal.wer == Approx(0.13));
  CHECK(proposal.wer_all == proposal.wer);
  CHECK(proposal.evaluations == 1);
}

TEST_CASE("as few of the worst units as the budget asks for are left in float") {
  Additive costs;
  for (int i = 0; i < 16; ++i) costs.damage[std::string(1, static_cast<char>('a' + i))] = 0.001 * i;
  // All: 0.1 + 0.12. Without p, o, n (15 + 14 + 13): 0.178.
  const Proposal proposal = proposal_for(costs, 0.1785);
  CHECK(proposal.in_float == Layers{"p", "o", "n"});
  CHECK(proposal.wer == Approx(0.178));
  CHECK(proposal.wer_all == Approx(0.22));
  CHECK(proposal.evaluations == 1 + 4 + 2);  // all; bisection of 16; p and o tried again
  CHECK(static_cast<size_t>(proposal.evaluations) == costs.asked.size());
}

TEST_CASE("a unit that proves harmless beside the others is quantized again") {
  // b looks bad alone but costs nothing once c is in float.
  std::vector<Unit> units = {{"b", {"b"}, 0.2, 0}, {"c", {"c"}, 0.15, 0}, {"d", {"d"}, 0.1, 0}};
  const Proposal proposal = propose(units, 0.1, [](const Layers& quantized) {
    return std::ranges::find(quantized, "c") != quantized.end() ? 0.2 : 0.1;
  });
  CHECK(proposal.in_float == Layers{"c"});
  CHECK(proposal.wer == 0.1);
}

TEST_CASE("a budget that nothing quantized keeps leaves all in float") {
  Additive costs{{{"a", 0.01}, {"b", 0.02}}};
  const Proposal proposal = proposal_for(costs, 0.1);
  CHECK(proposal.in_float == Layers{"b", "a"});
  CHECK(proposal.wer == Approx(0.1));
}

TEST_CASE("a mixed policy chooses none for exactly the layers left in float") {
  const auto check = [](const model::Policy& policy, const Layers& in_float) {
    const model::Policy mixed = with_float(policy, in_float, kLayers);
    for (const std::string& layer : kLayers) {
      INFO(layer);
      const bool is_float = std::ranges::find(in_float, layer) != in_float.end();
      CHECK(choice_for(mixed, layer) ==
            (is_float ? model::LayerChoice() : choice_for(policy, layer)));
    }
    return mixed;
  };
  const model::Policy whole = check({}, {kLayers[1], kLayers[0], kLayers[4]});
  CHECK_FALSE(whole.feature_extractor);
  CHECK_FALSE(whole.feed_forward);
  CHECK(whole.exceptions.empty());
  const model::Policy single = check({}, {kLayers[1]});
  CHECK(single.feature_extractor);
  CHECK(single.exceptions.size() == 1);
  model::Policy excepted;
  excepted.exceptions = {{"*.conv", model::preset("fbgemm")}, {kLayers[0], std::nullopt}};
  check(excepted, {kLayers[1]});
  CHECK(with_float(excepted, {}, kLayers) == excepted);
}
