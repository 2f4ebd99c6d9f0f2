/// What the augmentations of the waveform share: a probability, and ranges to draw from.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include "graph/registry.h"

namespace flowqat::nodes {

/// Two numbers of a parameter, the smaller first.
struct Range {
  /// Throws GraphError for another number of them, or the larger first.
  Range(const graph::Params& params, const std::string& key);

  double draw(graph::RandomStream& random) const { return random.uniform(low, high); }
  /// Of whole numbers, both ends included.
  int64_t draw_whole(graph::RandomStream& random) const {
    const auto first = static_cast<int64_t>(low);
    return first + static_cast<int64_t>(random.below(static_cast<uint64_t>(high) -
                                                     static_cast<uint64_t>(first) + 1));
  }

  double low, high;
};

/// Changes a drawn share of the utterances and keeps their length.
class Augmentation : public graph::Transform {
 public:
  void apply(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
             graph::Draw draw, graph::Row&) const final {
    if (draw.random.uniform() < probability_) {
      change(shape, in, out, draw.random);
    } else {
      std::copy(in.begin(), in.end(), out.begin());
    }
  }

 protected:
  explicit Augmentation(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        probability_(arguments.params.number("probability")) {}

  /// Writes all of `out`, which is as long as `in`.
  virtual void change(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
                      graph::RandomStream& random) const = 0;

 private:
  double probability_;
};

inline graph::ParamSpec probability_param() {
  return {.name = "probability",
          .kind = graph::ParamKind::number,
          .fallback = 1,
          .minimum = 0,
          .maximum = 1,
          .doc = "share of the utterances that are changed; the others pass as they are"};
}

inline std::vector<graph::InputSpec> audio_input() {
  return {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "decoded audio"}};
}

/// Sum of squares.
inline double energy(std::span<const float> samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return sum;
}

}  // namespace flowqat::nodes
