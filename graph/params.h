/// Declared parameters: one place gives a parameter's name, type, unit, range, default and meaning;
/// validation, `flowqat nodes` and the values that a node reads all come from it.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace flowqat::graph {

using Json = nlohmann::ordered_json;

enum class ParamKind {
  boolean,
  integer,
  number,
  text,
  choice,
  path,
  integers,
  numbers,
  texts,
  text_or_object,  ///< the node itself checks what is in it
  objects,         ///< a list of them; the same
};

struct ParamSpec {
  std::string name = {};
  ParamKind kind = ParamKind::number;
  Json fallback = {};     ///< the default; null: the key must be given
  std::string unit = {};  ///< "s", "Hz", ...; empty for a bare number
  std::optional<double> minimum = {},
                        maximum = {};     ///< of the number, or of every number of a list
  std::vector<std::string> choices = {};  ///< for ParamKind::choice
  std::string doc = {};                   ///< one line
};

/// "a number of s from 0 to 60", for messages and listings.
std::string describe_kind(const ParamSpec& spec);

/// Checks `value` against `spec`. Returns what is wrong ("must be ..., found ..."), or nothing.
std::optional<std::string> check(const ParamSpec& spec, const Json& value);

/// The validated values of one node; every declared parameter has one.
class Params {
 public:
  Params() = default;
  explicit Params(Json values) : values_(std::move(values)) {}

  const Json& json(const char* name) const { return values_.at(name); }
  bool flag(const char* name) const { return values_.at(name).get<bool>(); }
  int64_t integer(const char* name) const { return values_.at(name).get<int64_t>(); }
  double number(const char* name) const { return values_.at(name).get<double>(); }
  std::string text(const char* name) const { return values_.at(name).get<std::string>(); }
  std::vector<int64_t> integers(const char* name) const {
    return values_.at(name).get<std::vector<int64_t>>();
  }
  std::vector<double> numbers(const char* name) const {
    return values_.at(name).get<std::vector<double>>();
  }
  std::vector<std::string> texts(const char* name) const {
    return values_.at(name).get<std::vector<std::string>>();
  }
  const Json& json() const { return values_; }

 private:
  Json values_ = Json::object();
};

/// The names in `known` that look like `wrong`, as "; did you mean "x"?", or nothing.
std::string suggestion(const std::string& wrong, const std::vector<std::string>& known);
/// `"a", "b", "c"`.
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace flowqat::graph
