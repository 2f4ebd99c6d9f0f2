/// Louder or softer by a drawn number of decibels: x * 10^(gain / 20). Behind it `normalize` undoes
/// what it did, so it belongs after that node, or into a graph without one.
#include <cmath>

#include "nodes/support/augmentation.h"

namespace flowqat::nodes {
namespace {

class Gain : public Augmentation {
 public:
  explicit Gain(const graph::NodeArguments& arguments)
      : Augmentation(arguments), range_db_(arguments.params, "range_db") {}

 protected:
  void change(const graph::Shape&, std::span<const float> in, std::span<float> out,
              graph::RandomStream& random) const override {
    const auto factor = static_cast<float>(std::pow(10, range_db_.draw(random) / 20));
    for (size_t i = 0; i < in.size(); ++i) out[i] = in[i] * factor;
  }

 private:
  Range range_db_;
};

const graph::Register registered({
    .name = "gain",
    .doc = "makes each utterance louder or softer",
    .output = graph::EdgeKind::utterances,
    .inputs = audio_input(),
    .params = {{.name = "range_db",
                .kind = graph::ParamKind::numbers,
                .fallback = {-6, 6},
                .unit = "dB",
                .minimum = -120,
                .maximum = 120,
                .doc = "[softest, loudest]: a gain is drawn uniformly between them"},
               probability_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<Gain>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
