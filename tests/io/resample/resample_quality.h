/// How good a resampler is, measured on sines whose resampled form is known exactly.
#pragma once
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <vector>

namespace flowqat::io::test {

constexpr double kRateHz = 16000;
constexpr std::array<double, 3> kTonesHz{1000, 3000, 6500};
constexpr double kAmplitude = 0.25;
constexpr size_t kEdgeSamples = 800;  ///< left out of what is measured, at both ends

/// Resamples a signal by 1 / factor.
using Resampler = std::function<std::vector<float>(const std::vector<float>&, double factor)>;

inline std::vector<float> sum_of_tones(std::span<const double> tones_hz, double amplitude,
                                       size_t samples) {
  std::vector<float> out(samples);
  for (size_t i = 0; i < samples; ++i) {
    double sum = 0;
    for (size_t tone = 0; tone < tones_hz.size(); ++tone) {
      sum += std::sin(2 * std::numbers::pi * tones_hz[tone] / kRateHz * static_cast<double>(i) +
                      0.3 + 0.8 * static_cast<double>(tone));
    }
    out[i] = static_cast<float>(amplitude * sum);
  }
  return out;
}

inline double db(double power_ratio) { return 10 * std::log10(std::max(power_ratio, 1e-20)); }

inline double power(std::span<const double> signal) {
  double sum = 0;
  for (double x : signal) sum += x * x;
  return sum / static_cast<double>(signal.size());
}

/// Takes the sine of that frequency which fits best out of `signal`; returns its amplitude squared.
inline double remove_tone(std::span<double> signal, double cycles_per_sample) {
  double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0;
  const auto phase = [&](size_t i) {
    return 2 * std::numbers::pi * cycles_per_sample * static_cast<double>(i);
  };
  for (size_t i = 0; i < signal.size(); ++i) {
    const double s = std::sin(phase(i)), c = std::cos(phase(i));
    ss += s * s, cc += c * c, sc += s * c, xs += signal[i] * s, xc += signal[i] * c;
  }
  const double determinant = ss * cc - sc * sc;
  const double a = (xs * cc - xc * sc) / determinant, b = (xc * ss - xs * sc) / determinant;
  for (size_t i = 0; i < signal.size(); ++i) {
    signal[i] -= a * std::sin(phase(i)) + b * std::cos(phase(i));
  }
  return a * a + b * b;
}

struct Quality {
  double snr_db;        ///< the three tones, each one's gain and phase fitted, over all else
  double gain_6500_db;  ///< of the highest of them
};

inline Quality quality_of(const Resampler& resample, double factor) {
  const auto out = resample(sum_of_tones(kTonesHz, kAmplitude, 32000), factor);
  std::vector<double> rest(out.begin() + kEdgeSamples, out.end() - kEdgeSamples);
  const double all = power(rest);
  double squared = 0;
  // Tones are all but orthogonal over this length: what the second fit finds is far below noise.
  for (int fit = 0; fit < 3; ++fit) {
    for (double hz : kTonesHz) {
      const double found = remove_tone(rest, hz * factor / kRateHz);
      if (fit == 0) squared = found;
    }
  }
  return {db(all / power(rest)), db(squared / (kAmplitude * kAmplitude))};
}

/// What is left of a tone above the output's Nyquist frequency.
inline double alias_db(const Resampler& resample, double tone_hz, double factor) {
  const auto out = resample(sum_of_tones(std::array{tone_hz}, 0.5, 32000), factor);
  const std::vector<double> inner(out.begin() + kEdgeSamples, out.end() - kEdgeSamples);
  return db(power(inner) / (0.5 * 0.5 / 2));
}

}  // namespace flowqat::io::test
