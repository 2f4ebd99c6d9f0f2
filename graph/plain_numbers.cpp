#include "graph/plain_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "graph/format.h"

namespace flowqat::graph {
namespace {

constexpr int64_t minute_s = 60, hour_s = 3600;

/// "3 h", "3 h 12 min"
std::string two_units(int64_t many, const char* large, int64_t few, const char* small) {
  return whole_text(many) + " " + large +
         (few > 0 ? " " + std::to_string(few) + " " + small : std::string());
}

}  // namespace

std::string whole_text(int64_t number) {
  std::string text = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t end = text.size(); end > first + 3;) {
    end -= 3;
    text.insert(end, ",");
  }
  return text;
}

std::string counted(int64_t number, const std::string& noun, const std::string& plural) {
  return whole_text(number) + " " + (number == 1 ? noun : plural.empty() ? noun + "s" : plural);
}

std::string duration_text(double duration_s) {
  if (!std::isfinite(duration_s)) return "unknown";
  if (duration_s > 0 && duration_s < 9.95) {
    const std::string text = format("%.1f", duration_s);
    return (text.ends_with(".0") ? text.substr(0, text.size() - 2) : text) + " s";
  }
  const int64_t whole_s = std::llround(std::clamp(duration_s, 0.0, 1e15));
  if (whole_s < minute_s) return std::to_string(whole_s) + " s";
  if (whole_s < hour_s) return two_units(whole_s / minute_s, "min", whole_s % minute_s, "s");
  const int64_t whole_min = (whole_s + minute_s / 2) / minute_s;
  if (whole_min >= 100 * 60) return whole_text((whole_min + 30) / 60) + " h";
  return two_units(whole_min / 60, "h", whole_min % 60, "min");
}

std::string percent_text(double share) {
  const double percent = 100 * share;
  if (percent > 0 && percent < 1) return "1 %";
  return format("%.0f %%", share < 1 ? std::min(99.0, std::round(percent)) : std::round(percent));
}

double rounded(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return value;
  // By way of the text, so that the nearest double to the short decimal comes out.
  return std::strtod(format("%.*g", digits, value).c_str(), nullptr);
}

Json rounded(const Json& json, int digits) {
  if (json.is_number_float()) return rounded(json.get<double>(), digits);
  if (!json.is_structured()) return json;
  Json copy = json;
  for (Json& value : copy) value = rounded(value, digits);
  return copy;
}

}  // namespace flowqat::graph
