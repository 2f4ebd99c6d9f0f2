/// Additive noise at a drawn signal-to-noise ratio: 10 log10(power of speech / power of noise) over
/// the whole utterance is exactly that ratio. Sums are not clipped.
#include <cmath>

#include "nodes/support/augmentation.h"
#include "nodes/support/clip_folder.h"

namespace flowqat::nodes {
namespace {

class Noise : public Augmentation {
 public:
  explicit Noise(const graph::NodeArguments& arguments)
      : Augmentation(arguments), clips_(arguments), snr_db_(arguments.params, "snr_db") {}

  void check(graph::CheckContext& context) const override { clips_.check(*this, context); }

 protected:
  void change(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
              graph::RandomStream& random) const override {
    const double snr_db = snr_db_.draw(random);
    const ClipFolder::Clip clip = clips_.draw(random, shape.rate_hz);
    cut(*clip, random, out);
    const double noise = energy(out), speech = energy(in);
    // No gain makes silence as loud as anything, or anything as soft as silence.
    const double factor =
        noise > 0 && speech > 0 ? std::sqrt(speech / noise / std::pow(10, snr_db / 10)) : 0;
    for (size_t i = 0; i < in.size(); ++i) {
      out[i] = static_cast<float>(in[i] + factor * out[i]);
    }
  }

 private:
  /// An excerpt from anywhere in the clip; a clip that is too short starts again at its end.
  static void cut(std::span<const float> clip, graph::RandomStream& random, std::span<float> out) {
    const size_t starts = clip.size() > out.size() ? clip.size() - out.size() + 1 : clip.size();
    size_t at = random.below(starts);
    for (float& sample : out) {
      sample = clip[at];
      if (++at == clip.size()) at = 0;
    }
  }

  ClipFolder clips_;
  Range snr_db_;
};

const graph::Register registered({
    .name = "noise",
    .doc = "adds an excerpt of a noise from a folder to each utterance",
    .output = graph::EdgeKind::utterances,
    .inputs = audio_input(),
    .params = {clip_folder_param("its audio files, at any depth and of any rate, are the noises"),
               {.name = "snr_db",
                .kind = graph::ParamKind::numbers,
                .fallback = {5, 20},
                .unit = "dB",
                .minimum = -100,
                .maximum = 100,
                .doc = "[noisiest, cleanest]: a signal-to-noise ratio is drawn between them"},
               probability_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<Noise>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
