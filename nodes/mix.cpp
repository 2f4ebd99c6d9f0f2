/// Several corpora as one.
#include <algorithm>

#include "graph/error.h"
#include "graph/registry.h"

namespace flowqat::nodes {
namespace {

class Mix : public graph::Source {
 public:
  explicit Mix(const graph::NodeArguments& arguments)
      : Source(arguments.name),
        weights_(arguments.params.numbers("weights")),
        hours_(arguments.params.number("hours")) {
    for (graph::Node* node : arguments.inputs.all("from")) {
      const auto* source = dynamic_cast<const graph::Source*>(node);
      if (!source) {
        throw graph::GraphError("key \"from\": \"" + node->name() +
                                "\" is no source; mix corpora first, then decode and augment them");
      }
      if (source->hours() > 0) {
        throw graph::GraphError("key \"from\": \"" + node->name() +
                                "\" has \"hours\"; in a mix give them here, or a weight");
      }
      if (std::find(sources_.begin(), sources_.end(), source) != sources_.end()) {
        throw graph::GraphError("key \"from\": \"" + node->name() +
                                "\" stands there twice; give it a greater weight");
      }
      sources_.push_back(source);
    }
    if (weights_.empty()) weights_.assign(sources_.size(), 1.0);
    if (weights_.size() != sources_.size()) {
      throw graph::GraphError("key \"weights\": must be one for each of the " +
                              std::to_string(sources_.size()) + " nodes of \"from\", found " +
                              std::to_string(weights_.size()));
    }
  }

  double hours() const override { return hours_; }

  int64_t shuffle_window() const override {
    int64_t widest = 0;
    for (const graph::Source* source : sources_) {
      widest = std::max(widest, source->shuffle_window());
    }
    return widest;
  }

  std::string describe_transcripts() const override {
    std::string text;
    for (const graph::Source* source : sources_) {
      const std::string one = source->describe_transcripts();
      if (!one.empty()) text += (text.empty() ? "" : "; ") + source->name() + ": " + one;
    }
    return text;
  }

  graph::Index read_index(const graph::IndexReading& reading) const override {
    graph::Index all;
    for (size_t i = 0; i < sources_.size(); ++i) {
      all.append(sources_[i]->read_index(reading), sources_[i]->name(), weights_[i]);
    }
    return all;
  }

 private:
  std::vector<const graph::Source*> sources_;
  std::vector<double> weights_;
  double hours_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "mix",
    .doc = "several corpora as one, each presented as often as its weight says",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from",
                .kind = graph::EdgeKind::utterances,
                .many = true,
                .doc = "the corpora; an utterance's id becomes CORPUS/ID"}},
    .params =
        {
            {.name = "weights",
             .kind = ParamKind::numbers,
             .fallback = graph::Default::empty_list(),
             .minimum = 0,
             .maximum = 1000,
             .doc = "how often each corpus is presented in an epoch; 1.5: every utterance once, "
                    "half of them, others in every epoch, once more; none given: 1 each"},
            {.name = "hours",
             .kind = ParamKind::number,
             .fallback = 0,
             .unit = "h",
             .minimum = 0,
             .doc = "presented hours an epoch of all together, a subset drawn with the seed; 0: "
                    "everything"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<Mix>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
