/// To one sample rate.
#include "io/resample/resample.h"

#include "graph/error.h"
#include "graph/registry.h"
#include "io/files/error.h"
#include "nodes/support/resample_params.h"

namespace flowqat::nodes {
namespace {

class Resample : public graph::Transform {
 public:
  explicit Resample(const graph::NodeArguments& arguments)
      : Transform(arguments.name, arguments.inputs.stream("from")),
        rate_hz_(static_cast<int>(arguments.params.integer("rate_hz"))),
        options_(resample_options(arguments.params)) {}

  /// No sample where the rates are too far apart: what will be rejected needs no room.
  graph::Shape predict(const graph::Shape& in, graph::Draw) const override {
    if (!what_is_wrong(in).empty()) return {0, rate_hz_};
    return {io::resampled_samples(in.samples, ratio(in)), rate_hz_};
  }

  void apply(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
             graph::Draw draw, graph::Row&) const override {
    if (const std::string wrong = what_is_wrong(shape); !wrong.empty()) {
      throw graph::Rejection(draw.entry.path + ": from " + std::to_string(shape.rate_hz) +
                             " Hz to " + std::to_string(rate_hz_) + " Hz: " + wrong);
    }
    io::resample(in, ratio(shape), options_, out);
  }

 private:
  std::string what_is_wrong(const graph::Shape& in) const {
    try {
      io::check_ratio(ratio(in), options_.engine);
      return "";
    } catch (const io::Error& error) {
      return error.what();
    }
  }
  double ratio(const graph::Shape& in) const { return static_cast<double>(rate_hz_) / in.rate_hz; }

  int rate_hz_;
  io::ResampleOptions options_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "resample",
    .doc = "brings every utterance to one sample rate",
    .output = graph::EdgeKind::utterances,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "decoded audio"}},
    .params = {{.name = "rate_hz",
                .kind = ParamKind::integer,
                .fallback = 16000,
                .unit = "Hz",
                .minimum = 1000,
                .maximum = 384000,
                .doc = "the rate to bring audio to"},
               engine_param(),
               converter_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<Resample>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
