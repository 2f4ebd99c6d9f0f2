#include "io/resample/resample.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "io/files/error.h"
#include "io/resample/polyphase.h"
#include "io/resample/soxr_resampler.h"

namespace flowqat::io {
namespace {

struct Choice {
  Engine engine;
  const char* name;
};
constexpr std::array<Choice, 4> choices{{{Engine::automatic, "auto"},
                                         {Engine::polyphase, "polyphase"},
                                         {Engine::soxr, "soxr"},
                                         {Engine::libsamplerate, "libsamplerate"}}};

}  // namespace

Engine parse_engine(const std::string& text) {
  std::string known;
  for (const Choice& choice : choices) {
    if (text == choice.name) return choice.engine;
    known += std::string(known.empty() ? "" : ", ") + choice.name;
  }
  throw Error("unknown resampling engine \"" + text + "\"; expected one of " + known);
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  for (const Choice& choice : choices) names.emplace_back(choice.name);
  return names;
}

int64_t resampled_samples(int64_t samples, double ratio) {
  return static_cast<int64_t>(std::floor(static_cast<double>(samples) * ratio + 0.5));
}

void check_ratio(double ratio, Engine engine) {
  if (!(ratio >= 1.0 / 256 && ratio <= 256)) {
    throw Error("resampling by a ratio of " + std::to_string(ratio) +
                ": expected 1/256 to 256 (output rate over input rate)");
  }
  if (engine == Engine::polyphase && !polyphase_terms(ratio)) {
    throw Error("resampling by a ratio of " + std::to_string(ratio) +
                ": the polyphase engine expects a fraction of small whole numbers; use \"auto\"");
  }
}

void resample(std::span<const float> in, double ratio, ResampleOptions options,
              std::span<float> out) {
  check_ratio(ratio, options.engine);
  const int64_t expected = resampled_samples(static_cast<int64_t>(in.size()), ratio);
  if (static_cast<int64_t>(out.size()) != expected) {
    throw Error("resampling " + std::to_string(in.size()) + " samples by " + std::to_string(ratio) +
                ": expected room for " + std::to_string(expected) + ", found " +
                std::to_string(out.size()));
  }
  if (ratio == 1) {
    std::copy(in.begin(), in.end(), out.begin());
    return;
  }
  if (options.engine == Engine::libsamplerate) {
    return resample_libsamplerate(in, ratio, options.converter, out);
  }
  if (options.engine != Engine::soxr) {
    if (const auto terms = polyphase_terms(ratio)) return resample_polyphase(in, *terms, out);
  }
  resample_soxr(in, ratio, out);
}

void resample(std::span<const float> in, double ratio, Converter converter, std::span<float> out) {
  resample(in, ratio, {Engine::libsamplerate, converter}, out);
}

}  // namespace flowqat::io
