/// Moves speech into a room: convolution with a drawn impulse response (Ko et al. 2017, "A Study on
/// Data Augmentation of Reverberant Speech"). The response's largest sample, the direct sound, lies
/// on time zero, so that words stay where they were; length and power stay too.
#include <cmath>

#include "io/resample/fft_convolve.h"
#include "nodes/support/augmentation.h"
#include "nodes/support/clip_folder.h"

namespace flowqat::nodes {
namespace {

class Reverb : public Augmentation {
 public:
  explicit Reverb(const graph::NodeArguments& arguments)
      : Augmentation(arguments), responses_(arguments) {}

  void check(graph::CheckContext& context) const override { responses_.check(*this, context); }

 protected:
  void change(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
              graph::RandomStream& random) const override {
    const ClipFolder::Clip response = responses_.draw(random, shape.rate_hz);
    const auto direct = std::max_element(response->begin(), response->end(), [](float a, float b) {
      return std::abs(a) < std::abs(b);
    });
    io::convolve(in, *response, static_cast<size_t>(direct - response->begin()), out);
    const double dry = energy(in), wet = energy(out);
    if (!(dry > 0) || !(wet > 0)) {  // silence has no power to keep, and no room either
      std::copy(in.begin(), in.end(), out.begin());
      return;
    }
    const auto factor = static_cast<float>(std::sqrt(dry / wet));
    for (float& sample : out) sample *= factor;
  }

 private:
  ClipFolder responses_;
};

const graph::Register registered({
    .name = "reverb",
    .doc = "lets each utterance sound as in a room whose impulse response is in a folder",
    .output = graph::EdgeKind::utterances,
    .inputs = audio_input(),
    .params = {clip_folder_param(
                   "its audio files, at any depth and of any rate, are the responses"),
               probability_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<Reverb>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
