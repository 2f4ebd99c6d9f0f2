/// Silences pieces of the waveform: the time masks of SpecAugment (Park et al. 2019, section 2)
/// without a spectrogram, as SpeechBrain's DropChunk. Pieces may overlap. SpecAugment's policies as
/// keys: LB and LD are length_ms [0, 1000] with 1 and 2 chunks, SM and SS length_ms [0, 700] with 2
/// and max_share 0.2.
#include <cmath>

#include "nodes/support/augmentation.h"

namespace flowqat::nodes {
namespace {

class DropChunks : public Augmentation {
 public:
  explicit DropChunks(const graph::NodeArguments& arguments)
      : Augmentation(arguments),
        chunks_(arguments.params, "chunks"),
        length_ms_(arguments.params, "length_ms"),
        max_share_(arguments.params.number("max_share")) {}

 protected:
  void change(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
              graph::RandomStream& random) const override {
    std::copy(in.begin(), in.end(), out.begin());
    const auto longest = static_cast<int64_t>(max_share_ * static_cast<double>(in.size()));
    for (int64_t left = chunks_.draw_whole(random); left > 0; --left) {
      const int64_t length =
          std::min<int64_t>(longest, std::llround(length_ms_.draw(random) * shape.rate_hz / 1000));
      const auto places = static_cast<uint64_t>(shape.samples - length + 1);
      const auto start = static_cast<std::ptrdiff_t>(random.below(places));
      std::fill_n(out.begin() + start, length, 0.0f);
    }
  }

 private:
  Range chunks_, length_ms_;
  double max_share_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "drop_chunks",
    .doc = "silences drawn pieces of each utterance",
    .output = graph::EdgeKind::utterances,
    .inputs = audio_input(),
    .params = {{.name = "chunks",
                .kind = ParamKind::integers,
                .fallback = {1, 5},
                .minimum = 0,
                .maximum = 1000,
                .doc = "[fewest, most] pieces an utterance"},
               {.name = "length_ms",
                .kind = ParamKind::numbers,
                .fallback = {10, 100},
                .unit = "ms",
                .minimum = 0,
                .maximum = 60000,
                .doc = "[shortest, longest] piece"},
               {.name = "max_share",
                .kind = ParamKind::number,
                .fallback = 0.2,
                .minimum = 0,
                .maximum = 1,
                .doc = "no piece is longer than this share of its utterance"},
               probability_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<DropChunks>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
