#include "graph/params.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/message.h"

namespace flowqat::graph {
namespace {

std::string shortest(double value) {
  return Json(value == std::floor(value) && std::abs(value) < 1e15
                  ? Json(static_cast<int64_t>(value))
                  : Json(value))
      .dump();
}

std::string range_text(const ParamSpec& spec) {
  if (spec.minimum && spec.maximum) {
    return " from " + shortest(*spec.minimum) + " to " + shortest(*spec.maximum);
  }
  if (spec.minimum) return " of at least " + shortest(*spec.minimum);
  if (spec.maximum) return " of at most " + shortest(*spec.maximum);
  return "";
}

bool in_range(const ParamSpec& spec, double value) {
  return std::isfinite(value) && (!spec.minimum || value >= *spec.minimum) &&
         (!spec.maximum || value <= *spec.maximum);
}

/// One that int64 holds: a larger one would come out as another.
bool is_integer(const Json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || std::in_range<int64_t>(value.get<uint64_t>()));
}

/// Without a NUL, which would end a path or name before its end.
bool is_text(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find('\0') == std::string::npos;
}

bool fits(const ParamSpec& spec, const Json& value) {
  const auto all = [&](auto&& test) {
    return value.is_array() && std::all_of(value.begin(), value.end(), test);
  };
  const auto number = [&](const Json& v) {
    return v.is_number() && in_range(spec, v.get<double>());
  };
  const auto integer = [&](const Json& v) {
    return is_integer(v) && in_range(spec, v.get<double>());
  };
  switch (spec.kind) {
    case ParamKind::boolean:
      return value.is_boolean();
    case ParamKind::integer:
      return integer(value);
    case ParamKind::number:
      return number(value);
    case ParamKind::text:
    case ParamKind::path:
      return is_text(value);
    case ParamKind::choice:
      return value.is_string() &&
             std::count(spec.choices.begin(), spec.choices.end(), value.get<std::string>()) > 0;
    case ParamKind::integers:
      return all(integer);
    case ParamKind::numbers:
      return all(number);
    case ParamKind::texts:
      return all(is_text);
    case ParamKind::text_or_object:
      return value.is_string() || value.is_object();
    case ParamKind::objects:
      return all([](const Json& v) { return v.is_object(); });
  }
  return false;
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string describe_kind(const ParamSpec& spec) {
  const std::string unit = spec.unit.empty() ? "" : " in " + spec.unit;
  switch (spec.kind) {
    case ParamKind::boolean:
      return "true or false";
    case ParamKind::integer:
      return "a whole number" + unit + range_text(spec);
    case ParamKind::number:
      return "a number" + unit + range_text(spec);
    case ParamKind::text:
      return "a text";
    case ParamKind::path:
      return "a path";
    case ParamKind::choice:
      return "one of " + quoted_list(spec.choices);
    case ParamKind::integers:
      return "a list of whole numbers" + unit + range_text(spec);
    case ParamKind::numbers:
      return "a list of numbers" + unit + range_text(spec);
    case ParamKind::texts:
      return "a list of texts";
    case ParamKind::text_or_object:
      return "a name or an object";
    case ParamKind::objects:
      return "a list of objects";
  }
  return "";
}

std::optional<std::string> check(const ParamSpec& spec, const Json& value) {
  if (fits(spec, value)) return std::nullopt;
  return "must be " + describe_kind(spec) + ", found " + shown(value);
}

Json Default::json() const {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          return Json();
        } else {
          return Json(value);
        }
      },
      value_);
}

Params::Params() : Params(Json::object()) {}
Params::Params(Json values) : values_(std::make_shared<const Json>(std::move(values))) {}

const Json& Params::json(const std::string& name) const { return values_->at(name); }
bool Params::flag(const std::string& name) const { return json(name).get<bool>(); }
int64_t Params::integer(const std::string& name) const { return json(name).get<int64_t>(); }
double Params::number(const std::string& name) const { return json(name).get<double>(); }
std::string Params::text(const std::string& name) const { return json(name).get<std::string>(); }
std::vector<int64_t> Params::integers(const std::string& name) const {
  return json(name).get<std::vector<int64_t>>();
}
std::vector<double> Params::numbers(const std::string& name) const {
  return json(name).get<std::vector<double>>();
}
std::vector<std::string> Params::texts(const std::string& name) const {
  return json(name).get<std::vector<std::string>>();
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::ostringstream text;
  for (size_t i = 0; i < names.size(); ++i) text << (i ? ", " : "") << '"' << names[i] << '"';
  return text.str();
}

std::string suggestion(const std::string& wrong, const std::vector<std::string>& known) {
  if (wrong.size() > 200) return "";  // no name, and dear to compare
  std::string best;
  size_t best_distance = wrong.size() / 3 + 2;
  for (const std::string& name : known) {
    const size_t distance = edit_distance(wrong, name);
    if (distance < best_distance) best = name, best_distance = distance;
  }
  return best.empty() ? "" : "; did you mean \"" + best + "\"?";
}

}  // namespace flowqat::graph
