/// Speed perturbation (Ko et al. 2015, "Audio Augmentation for Speech Recognition"): audio played
/// `factor` times as fast, so tempo and pitch change together. N samples become about N / factor.
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/registry.h"
#include "io/files/error.h"
#include "io/resample/resample.h"
#include "nodes/support/resample_params.h"

namespace flowqat::nodes {
namespace {

class SpeedPerturb : public graph::Transform {
 public:
  explicit SpeedPerturb(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        factors_(arguments.params.numbers("factors")),
        range_(arguments.params.numbers("range")),
        every_(arguments.params.flag("every")),
        options_(resample_options(arguments.params)) {
    if (factors_.empty() == range_.empty()) {
      throw graph::GraphError("give either \"factors\" or \"range\"");
    }
    if (!range_.empty() && (range_.size() != 2 || range_[0] > range_[1])) {
      throw graph::GraphError("key \"range\": must be two numbers, the smaller first, found " +
                              graph::Json(range_).dump());
    }
    if (every_ && factors_.empty()) {
      throw graph::GraphError("key \"every\": needs \"factors\"; a range has no end of them");
    }
    if (options_.engine == io::Engine::polyphase && !range_.empty()) {
      throw graph::GraphError(
          "key \"engine\": \"polyphase\" needs \"factors\": those of a range are no fractions of "
          "small whole numbers; use \"auto\"");
    }
    for (double factor : factors_) check_factor(factor);
  }

  int copies() const override { return every_ ? static_cast<int>(factors_.size()) : 1; }

  graph::Shape predict(const graph::Shape& in, graph::Draw draw) const override {
    return {io::resampled_samples(in.samples, 1 / factor(draw)), in.rate_hz};
  }

  void apply(const graph::Shape&, std::span<const float> in, std::span<float> out, graph::Draw draw,
             graph::Row&) const override {
    io::resample(in, 1 / factor(draw), options_, out);
  }

 private:
  void check_factor(double factor) const {
    try {
      io::check_ratio(1 / factor, options_.engine);
    } catch (const io::Error& error) {
      throw graph::GraphError("key \"factors\": " + std::string(error.what()));
    }
  }

  double factor(graph::Draw& draw) const {
    if (every_) return factors_[static_cast<size_t>(draw.copy)];
    if (!factors_.empty()) return factors_[draw.random.below(factors_.size())];
    return draw.random.uniform(range_[0], range_[1]);
  }

  std::vector<double> factors_, range_;
  bool every_;
  io::ResampleOptions options_;
};

using graph::ParamKind;
constexpr double kSlowest = 0.25, kFastest = 4;

const graph::Register registered({
    .name = "speed_perturb",
    .doc = "plays each utterance faster or slower, pitch included",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "decoded audio"}},
    .params = {{.name = "factors",
                .kind = ParamKind::numbers,
                .fallback = graph::Default::empty_list(),
                .minimum = kSlowest,
                .maximum = kFastest,
                .doc = "one of these is drawn for each utterance"},
               {.name = "every",
                .kind = ParamKind::boolean,
                .fallback = false,
                .doc = "present each utterance once with every factor instead of drawing one"},
               {.name = "range",
                .kind = ParamKind::numbers,
                .fallback = graph::Default::empty_list(),
                .minimum = kSlowest,
                .maximum = kFastest,
                .doc = "[slowest, fastest]: a factor is drawn uniformly between them"},
               engine_param(),
               converter_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<SpeedPerturb>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
