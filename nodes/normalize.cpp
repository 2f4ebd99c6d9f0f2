/// Zero mean and unit variance for each utterance, as Wav2Vec2FeatureExtractor (transformers) does
/// with do_normalize: (x - mean) / sqrt(variance + 1e-7), population variance, before any padding.
#include <cmath>

#include "graph/registry.h"

namespace flowqat::nodes {
namespace {

/// Sums in double precision, four at a time so that additions overlap.
template <class Term>
double sum(std::span<const float> samples, Term term) {
  double partial[4] = {};
  size_t i = 0;
  for (; i + 4 <= samples.size(); i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) partial[lane] += term(samples[i + lane]);
  }
  for (; i < samples.size(); ++i) partial[0] += term(samples[i]);
  return (partial[0] + partial[1]) + (partial[2] + partial[3]);
}

class Normalize : public graph::Transform {
 public:
  explicit Normalize(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")) {}

  void apply(const graph::Shape&, std::span<const float> in, std::span<float> out, graph::Draw,
             graph::Row&) const override {
    const auto count = static_cast<double>(in.size());
    const double mean = sum(in, [](float x) { return static_cast<double>(x); }) / count;
    const double variance = sum(in, [mean](float x) { return (x - mean) * (x - mean); }) / count;
    const auto shift = static_cast<float>(mean);
    const auto scale = static_cast<float>(1 / std::sqrt(variance + 1e-7));
    for (size_t i = 0; i < in.size(); ++i) out[i] = (in[i] - shift) * scale;
  }
};

const graph::Register registered({
    .name = "normalize",
    .doc = "zero mean and unit variance for each utterance",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "audio"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Normalize>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
