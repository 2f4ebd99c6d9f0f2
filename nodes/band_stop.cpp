/// Takes drawn bands of frequencies out of the waveform, as SpeechBrain's DropFreq and flashlight's
/// RawWavSpecAugment do: the frequency masks of SpecAugment without a spectrogram. The filter is a
/// windowed sinc (Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.5) with a
/// Blackman window, linear in phase and compensated for its delay.
#include <cmath>
#include <numbers>

#include "io/resample/fft_convolve.h"
#include "nodes/support/augmentation.h"

namespace flowqat::nodes {
namespace {

struct Band {
  double low_hz, high_hz;
};

/// Overlapping bands become one: subtracting a band twice would let it through again.
std::vector<Band> merged(std::vector<Band> bands) {
  std::sort(bands.begin(), bands.end(),
            [](const Band& a, const Band& b) { return a.low_hz < b.low_hz; });
  std::vector<Band> apart;
  for (const Band& band : bands) {
    if (!apart.empty() && band.low_hz <= apart.back().high_hz) {
      apart.back().high_hz = std::max(apart.back().high_hz, band.high_hz);
    } else {
      apart.push_back(band);
    }
  }
  return apart;
}

/// Tap at `time` samples from the middle of an ideal low-pass filter.
double low_pass(double cutoff_hz, int rate_hz, int64_t time) {
  if (time == 0) return 2 * cutoff_hz / rate_hz;
  const auto t = static_cast<double>(time);
  return std::sin(2 * std::numbers::pi * cutoff_hz / rate_hz * t) / (std::numbers::pi * t);
}

/// The symmetric filter that stops `bands` (disjoint) and is `transition_hz` from stop to pass.
std::vector<float> stop_filter(const std::vector<Band>& bands, double transition_hz, int rate_hz) {
  // A Blackman window's transition is 5.5 / taps of the rate wide, down to -74 dB (table 7.2).
  const auto middle = static_cast<int64_t>(std::ceil(5.5 * rate_hz / transition_hz / 2));
  std::vector<float> taps;
  for (int64_t time = -middle; time <= middle; ++time) {
    const double phase =
        std::numbers::pi * static_cast<double>(time) / (static_cast<double>(middle) + 1);
    const double window = 0.42 + 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
    double ideal = time == 0 ? 1 : 0;
    for (const Band& band : bands) {
      ideal -= low_pass(band.high_hz, rate_hz, time) - low_pass(band.low_hz, rate_hz, time);
    }
    taps.push_back(static_cast<float>(window * ideal));
  }
  return taps;
}

class BandStop : public Augmentation {
 public:
  explicit BandStop(const graph::NodeArguments& arguments)
      : Augmentation(arguments),
        bands_(arguments.params, "bands"),
        width_hz_(arguments.params, "width_hz"),
        transition_hz_(arguments.params.number("transition_hz")) {}

 protected:
  void change(const graph::Shape& shape, std::span<const float> in, std::span<float> out,
              graph::RandomStream& random) const override {
    const double nyquist_hz = shape.rate_hz / 2.0;
    std::vector<Band> bands;
    for (int64_t left = bands_.draw_whole(random); left > 0; --left) {
      const double width_hz = std::min(width_hz_.draw(random), nyquist_hz);
      const double low_hz = random.uniform(0, nyquist_hz - width_hz);
      // The cutoffs lie in the middle of the transitions, which are outside of the band.
      bands.push_back({std::max(0.0, low_hz - transition_hz_ / 2),
                       std::min(nyquist_hz, low_hz + width_hz + transition_hz_ / 2)});
    }
    if (bands.empty()) {
      std::copy(in.begin(), in.end(), out.begin());
      return;
    }
    const std::vector<float> taps = stop_filter(merged(bands), transition_hz_, shape.rate_hz);
    io::convolve(in, taps, taps.size() / 2, out);
  }

 private:
  Range bands_, width_hz_;
  double transition_hz_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "band_stop",
    .doc = "takes drawn bands of frequencies out of each utterance",
    .output = graph::EdgeKind::utterances,
    .inputs = audio_input(),
    .params = {{.name = "bands",
                .kind = ParamKind::integers,
                .fallback = {1, 2},
                .minimum = 0,
                .maximum = 100,
                .doc = "[fewest, most] bands an utterance; they may overlap"},
               {.name = "width_hz",
                .kind = ParamKind::numbers,
                .fallback = {100, 500},
                .unit = "Hz",
                .minimum = 0,
                .maximum = 192000,
                .doc = "[narrowest, widest] band; all of it is at least 40 dB down"},
               {.name = "transition_hz",
                .kind = ParamKind::number,
                .fallback = 100,
                .unit = "Hz",
                .minimum = 10,
                .maximum = 1000,
                .doc = "from a band's edge to full level; half of it costs twice the taps"},
               probability_param()},
    .make = [](graph::NodeArguments a) { return std::make_unique<BandStop>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
