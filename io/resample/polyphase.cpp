#include "io/resample/polyphase.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int64_t most_term = 1000;
constexpr int64_t most_table_bytes = 1 << 20;
constexpr size_t most_tables = 32;

/// The prototype: half its width in periods of the lower rate, its -6 dB point in shares of the
/// lower Nyquist frequency, and the shape of its Kaiser window.
constexpr double half_width = 48, cutoff = 0.965, kaiser_beta = 10.6;

/// A period is the shortest run of whole groups of kLanes outputs that takes whole inputs; each of
/// its groups has the coefficients of every input that any of its outputs needs.
struct Layout {
  int64_t groups, outputs, inputs;  ///< of a period
  int64_t before;                   ///< inputs needed before an output's time, at least
  int64_t taps;                     ///< of every group

  explicit Layout(RatioTerms terms) {
    groups = terms.up / std::gcd(terms.up, int64_t{kLanes});
    outputs = groups * kLanes;
    inputs = outputs / terms.up * terms.down;
    const double scale =
        std::max(1.0, static_cast<double>(terms.down) / static_cast<double>(terms.up));
    before = static_cast<int64_t>(std::ceil(half_width * scale));
    taps = 2 * before + (kLanes * terms.down + terms.up - 1) / terms.up;
  }
  int64_t table_floats() const { return groups * taps * kLanes; }
};

/// Kaiser's window (Kaiser 1974), 1 in the middle, for x from -1 to 1.
double kaiser(double x) {
  if (std::abs(x) >= 1) return 0;
  return std::cyl_bessel_i(0.0, kaiser_beta * std::sqrt(1 - x * x)) /
         std::cyl_bessel_i(0.0, kaiser_beta);
}

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

struct Table {
  Layout layout;
  std::vector<int64_t> starts;      ///< of each group's taps, from the period's first input
  std::vector<float> coefficients;  ///< [groups, taps, kLanes]

  explicit Table(RatioTerms terms)
      : layout(terms), coefficients(static_cast<size_t>(layout.table_floats())) {
    for (int64_t group = 0; group < layout.groups; ++group) {
      starts.push_back(group * kLanes * terms.down / terms.up - layout.before + 1);
    }
    for (int64_t output = 0; output < layout.outputs; ++output) fill(output, terms);
  }

 private:
  void fill(int64_t output, RatioTerms terms) {
    const auto up = static_cast<double>(terms.up), down = static_cast<double>(terms.down);
    const double scale = std::min(1.0, up / down);  // the lower rate over the input's
    const int64_t start = starts[static_cast<size_t>(output / kLanes)];
    std::vector<double> values(static_cast<size_t>(layout.taps));
    for (size_t tap = 0; tap < values.size(); ++tap) {
      // Exact up to the division: the distance from the output's time in steps of 1 / up.
      const int64_t steps = output * terms.down - (start + static_cast<int64_t>(tap)) * terms.up;
      const double time = static_cast<double>(steps) / up * scale;
      values[tap] = sinc(cutoff * time) * kaiser(time / half_width);
    }
    // Equal sums, so that a constant stays one and the phases do not modulate what passes.
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    float* column = coefficients.data() + output / kLanes * layout.taps * kLanes + output % kLanes;
    for (size_t tap = 0; tap < values.size(); ++tap) {
      column[tap * kLanes] = static_cast<float>(values[tap] / sum);
    }
  }
};

std::shared_ptr<const Table> table_for(RatioTerms terms) {
  static std::mutex mutex;
  static std::map<std::pair<int64_t, int64_t>, std::shared_ptr<const Table>> tables;
  const std::lock_guard lock(mutex);
  const std::pair key{terms.up, terms.down};
  if (const auto found = tables.find(key); found != tables.end()) return found->second;
  // Rare, for no graph names that many factors; who works with a table keeps it.
  if (tables.size() == most_tables) tables.clear();
  return tables[key] = std::make_shared<const Table>(terms);
}

bool fits(RatioTerms terms) {
  return terms.up >= 1 && terms.down >= 1 && terms.up <= most_term && terms.down <= most_term &&
         std::gcd(terms.up, terms.down) == 1 &&
         Layout(terms).table_floats() * int64_t{sizeof(float)} <= most_table_bytes;
}

}  // namespace

std::optional<RatioTerms> polyphase_terms(double ratio) {
  // The convergents of the continued fraction: the nearest of all fractions with terms so small.
  RatioTerms last{1, 0}, before_last{0, 1};
  double rest = ratio;
  while (rest < 2.0 * most_term) {
    const double whole = std::floor(rest);
    const auto next = static_cast<int64_t>(whole);
    const RatioTerms terms{next * last.up + before_last.up, next * last.down + before_last.down};
    if (terms.up > most_term || terms.down > most_term) return std::nullopt;
    const double found = static_cast<double>(terms.up) / static_cast<double>(terms.down);
    if (std::abs(found - ratio) <= 1e-12 * ratio) {
      return fits(terms) ? std::optional(terms) : std::nullopt;
    }
    before_last = std::exchange(last, terms);
    rest = 1 / (rest - whole);
  }
  return std::nullopt;
}

void resample_polyphase(std::span<const float> in, RatioTerms terms, std::span<float> out,
                        Simd simd) {
  if (!fits(terms)) {
    throw Error("polyphase resampling by " + std::to_string(terms.up) + "/" +
                std::to_string(terms.down) +
                ": expected lowest terms up to 1000 and a table of at most 1 MiB; use soxr");
  }
  const std::shared_ptr<const Table> table = table_for(terms);
  const Layout& layout = table->layout;
  const auto in_samples = static_cast<int64_t>(in.size());
  const auto out_samples = static_cast<int64_t>(out.size());
  const int64_t first = table->starts.front();  // the first and the last input of period 0
  const int64_t end = table->starts.back() + layout.taps;

  const auto compute = [&](const float* period_in, float* period_out, bool one_period) {
    for (int64_t group = 0; group < layout.groups; ++group) {
      multiply(simd,
               {.coefficients = table->coefficients.data() + group * layout.taps * kLanes,
                .taps = layout.taps,
                .in = period_in + table->starts[static_cast<size_t>(group)] - first,
                .in_stride = layout.inputs,
                .out = period_out + group * kLanes,
                .out_stride = layout.outputs},
               one_period);
    }
  };

  std::vector<float> edge_in(static_cast<size_t>(end - first));
  std::vector<float> edge_out(static_cast<size_t>(layout.outputs));
  for (int64_t period = 0; period * layout.outputs < out_samples;) {
    const int64_t from = period * layout.inputs + first, to = period * layout.outputs;
    const auto inside = [&](int64_t periods) {
      return from >= 0 && from + (periods - 1) * layout.inputs + end - first <= in_samples &&
             to + periods * layout.outputs <= out_samples;
    };
    if (inside(kRows)) {
      compute(in.data() + from, out.data() + to, false);
      period += kRows;
      continue;
    }
    // At the ends: one period, with zeros around the input.
    const int64_t begin_copy = std::clamp(from, int64_t{0}, in_samples);
    const int64_t end_copy = std::clamp(from + end - first, int64_t{0}, in_samples);
    std::fill(edge_in.begin(), edge_in.end(), 0.0f);
    if (begin_copy < end_copy) {
      std::copy(in.begin() + begin_copy, in.begin() + end_copy,
                edge_in.begin() + (begin_copy - from));
    }
    compute(edge_in.data(), edge_out.data(), true);
    const int64_t count = std::min(layout.outputs, out_samples - to);
    std::copy_n(edge_out.begin(), count, out.begin() + to);
    ++period;
  }
}

}  // namespace flowqat::io
