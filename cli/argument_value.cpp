#include "cli/argument_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/params.h"

namespace flowqat::cli {
namespace {

using graph::format;

template <class Number>
constexpr const char* number_name =
    std::is_floating_point_v<Number> ? "a number" : "a whole number";

std::string range_text(const Argument& argument) {
  if (argument.minimum && argument.maximum) {
    return format(" from %.10g to %.10g", *argument.minimum, *argument.maximum);
  }
  if (argument.minimum) return format(" of at least %.10g", *argument.minimum);
  return "";
}

/// Puts one text into each kind of target.
struct Assignment {
  const Argument& argument;
  const std::string& name;
  const std::string& text;

  void operator()(bool*) const {}
  void operator()(std::vector<std::string>*) const {}
  void operator()(std::string* target) const {
    const auto& choices = argument.choices;
    if (!choices.empty() && std::ranges::find(choices, text) == choices.end()) {
      throw graph::GraphError(name + ": must be one of " + graph::quoted_list(choices) +
                              ", found \"" + text + "\"" + graph::suggestion(text, choices));
    }
    *target = text;
  }
  template <class Number>
  void operator()(Number* target) const {
    Number number{};
    const char *begin = text.data(), *end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    const double value = static_cast<double>(number);
    if (error != std::errc() || stop != end || !std::isfinite(value) ||
        (argument.minimum && value < *argument.minimum) ||
        (argument.maximum && value > *argument.maximum)) {
      throw graph::GraphError(name + ": must be " + number_name<Number> + range_text(argument) +
                              ", found \"" + text + "\"");
    }
    *target = number;
  }
};

struct DefaultText {
  std::string operator()(const bool*) const { return ""; }
  std::string operator()(const std::vector<std::string>*) const { return ""; }
  std::string operator()(const std::string* text) const { return *text; }
  template <class Number>
  std::string operator()(const Number* number) const {
    return format("%.10g", static_cast<double>(*number));
  }
};

}  // namespace

void set_value(const Argument& argument, const std::string& name,
               const std::vector<std::string>& given) {
  if (auto* const flag = std::get_if<bool*>(&argument.target)) {
    if (given.front() != "true") {
      throw graph::GraphError(name + ": takes no value, found \"" + given.front() + "\"");
    }
    **flag = true;
  } else if (auto* const list = std::get_if<std::vector<std::string>*>(&argument.target)) {
    **list = given;
  } else {
    if (given.size() > 1) {
      throw graph::GraphError(name + ": is given more than once, as \"" + given.front() +
                              "\" and as \"" + given.back() + "\"");
    }
    std::visit(Assignment{argument, name, given.front()}, argument.target);
  }
}

std::string default_text(const Argument& argument) {
  if (!argument.fallback.empty()) return argument.fallback;
  return argument.required ? "" : std::visit(DefaultText{}, argument.target);
}

}  // namespace flowqat::cli
