/// Zero mean and unit variance for each utterance.
#include "recognizer/normalize.h"

#include "graph/registry.h"

namespace flowqat::nodes {
namespace {

class Normalize : public graph::Transform {
 public:
  explicit Normalize(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")) {}

  void apply(const graph::Shape&, std::span<const float> in, std::span<float> out, graph::Draw,
             graph::Row&) const override {
    recognizer::normalize(in, out);
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
