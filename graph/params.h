/// Declared parameters: one place gives a parameter's name, type, unit, range, default and meaning;
/// validation, `flowqat nodes` and the values that a node reads all come from it.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "graph/json.h"

namespace flowqat::graph {

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

/// What a declared parameter is by default; converts from whatever its kind holds.
class Default {
 public:
  /// None: the key must be given.
  Default() = default;
  Default(bool value) : value_(value) {}                    // NOLINT: stands for its value
  Default(int value) : value_(int64_t{value}) {}            // NOLINT
  Default(int64_t value) : value_(value) {}                 // NOLINT
  Default(double value) : value_(value) {}                  // NOLINT
  Default(const char* text) : value_(std::string(text)) {}  // NOLINT
  Default(std::string text) : value_(std::move(text)) {}    // NOLINT
  Default(std::initializer_list<int64_t> numbers)           // NOLINT
      : value_(std::vector<int64_t>(numbers)) {}
  Default(std::vector<std::string> texts) : value_(std::move(texts)) {}  // NOLINT
  static Default empty_list() { return std::vector<std::string>{}; }

  bool is_none() const { return value_.index() == 0; }
  /// Null for none.
  Json json() const;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>,
               std::vector<std::string>>
      value_;
};

struct ParamSpec {
  std::string name = {};
  ParamKind kind = ParamKind::number;
  Default fallback = {};
  std::string unit = {};  ///< "s", "Hz", ...; empty for a bare number
  std::optional<double> minimum = {},
                        maximum = {};     ///< of the number, or of every number of a list
  std::vector<std::string> choices = {};  ///< for ParamKind::choice
  std::string doc = {};                   ///< one line
  bool may_change = false;  ///< when a run is resumed: it does not decide of what is computed
  /// When a run is resumed: it decides only of how far its step goes, not of what is computed until
  /// then. The step itself refuses what lies behind where it stands.
  bool may_grow = false;
};

/// "a number of s from 0 to 60", for messages and listings.
std::string describe_kind(const ParamSpec& spec);

/// Checks `value` against `spec`. Returns what is wrong ("must be ..., found ..."), or nothing.
std::optional<std::string> check(const ParamSpec& spec, const Json& value);

/// The validated values of one node; every declared parameter has one. Copies share them.
class Params {
 public:
  Params();
  /// An object, key by key.
  explicit Params(Json values);

  const Json& json(const std::string& name) const;
  bool flag(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;
  const Json& json() const { return *values_; }

 private:
  std::shared_ptr<const Json> values_;
};

/// The names in `known` that look like `wrong`, as "; did you mean "x"?", or nothing.
std::string suggestion(const std::string& wrong, const std::vector<std::string>& known);
/// `"a", "b", "c"`.
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace flowqat::graph
