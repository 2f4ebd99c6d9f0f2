#include "nodes/support/sensitivity_search.h"

#include <algorithm>

namespace flowqat::nodes {
namespace {

bool contains(const Layers& layers, const std::string& layer) {
  return std::ranges::find(layers, layer) != layers.end();
}

/// The layers that belong to a part, whatever is chosen for it.
Layers layers_of(model::LayerChoice model::Policy::*part, const Layers& layers) {
  model::Policy alone;
  for (const auto& [name, other] : model::policy_parts) alone.*other = std::nullopt;
  alone.*part = model::LayerScheme{};
  Layers found;
  std::ranges::copy_if(layers, std::back_inserter(found), [&](const std::string& layer) {
    return choice_for(alone, layer).has_value();
  });
  return found;
}

Layers layers_of(const std::vector<Unit>& units, const std::vector<bool>& chosen, bool value) {
  Layers layers;
  for (size_t i = 0; i < units.size(); ++i) {
    if (chosen[i] != value) continue;
    layers.insert(layers.end(), units[i].layers.begin(), units[i].layers.end());
  }
  return layers;
}

}  // namespace

std::vector<Unit> units_of(const model::Policy& policy, const Layers& layers, bool by_part) {
  std::vector<Unit> units;
  const auto add = [&](const std::string& name, const Layers& members) {
    Unit unit{.name = name, .layers = {}};
    std::ranges::copy_if(members, std::back_inserter(unit.layers), [&](const std::string& layer) {
      return choice_for(policy, layer).has_value();
    });
    if (!unit.layers.empty()) units.push_back(std::move(unit));
  };
  if (by_part) {
    for (const auto& [name, part] : model::policy_parts) add(name, layers_of(part, layers));
  } else {
    for (const std::string& layer : layers) add(layer, {layer});
  }
  return units;
}

void sort_worst_first(std::vector<Unit>& units) {
  std::ranges::stable_sort(units, [](const Unit& a, const Unit& b) {
    return a.wer != b.wer ? a.wer > b.wer : a.logit_error > b.logit_error;
  });
}

Proposal propose(const std::vector<Unit>& worst_first, double highest_wer,
                 const std::function<double(const Layers&)>& wer_of) {
  Proposal proposal;
  std::vector<bool> in_float(worst_first.size());
  const auto measure = [&] {
    ++proposal.evaluations;
    return wer_of(layers_of(worst_first, in_float, false));
  };
  const auto leave_worst_in_float = [&](size_t count) {
    for (size_t i = 0; i < in_float.size(); ++i) in_float[i] = i < count;
  };
  proposal.wer = proposal.wer_all = measure();
  if (proposal.wer <= highest_wer) return proposal;

  size_t too_few = 0, enough = worst_first.size();
  double wer_enough = -1;
  while (enough - too_few > 1) {
    const size_t middle = (too_few + enough) / 2;
    leave_worst_in_float(middle);
    const double wer = measure();
    if (wer <= highest_wer) {
      enough = middle;
      wer_enough = wer;
    } else {
      too_few = middle;
    }
  }
  leave_worst_in_float(enough);
  proposal.wer = wer_enough >= 0 ? wer_enough : measure();
  // The last of them is needed: without it the bisection found the WER too high.
  for (size_t i = enough - 1; i-- > 0;) {
    in_float[i] = false;
    const double wer = measure();
    if (wer <= highest_wer) {
      proposal.wer = wer;
    } else {
      in_float[i] = true;
    }
  }
  proposal.in_float = layers_of(worst_first, in_float, true);
  return proposal;
}

model::Policy with_float(const model::Policy& policy, const Layers& in_float,
                         const Layers& layers) {
  model::Policy mixed = policy;
  Layers singly = in_float;
  for (const auto& [name, part] : model::policy_parts) {
    const Layers members = layers_of(part, layers);
    const auto is_float = [&](const std::string& layer) { return contains(in_float, layer); };
    const bool has_exception = std::ranges::any_of(members, [&](const std::string& layer) {
      return choice_for(policy, layer) != policy.*part;
    });
    if (members.empty() || has_exception || !std::ranges::all_of(members, is_float)) continue;
    mixed.*part = std::nullopt;
    std::erase_if(singly, [&](const std::string& layer) { return contains(members, layer); });
  }
  for (const std::string& layer : singly) mixed.exceptions.push_back({layer, std::nullopt});
  return mixed;
}

}  // namespace flowqat::nodes
