#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "base/message.h"

namespace flowqat {
namespace {

constexpr size_t kMostReasonBytes = 300;

/// `byte` counts from 0.
[[noreturn]] void fail(std::string_view text, size_t byte, const std::string& reason) {
  const std::string_view before = text.substr(0, byte);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  throw JsonError(1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n')),
                  before.size() - line_start + 1, reason);
}

/// The place of the first bracket that is nested too deep. Up to the first place where `text` is
/// not JSON this sees strings and comments where the parser sees them, and there the parser stops.
std::optional<size_t> too_deep(std::string_view text, bool comments) {
  int level = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
    } else if (comments && c == '/' && at + 1 < text.size()) {
      const bool block = text[at + 1] == '*';
      at = block ? text.find("*/", at + 2) : text.find('\n', at);
      if (at == std::string_view::npos) return std::nullopt;
      at += block ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++level > most_json_levels) return at;
    } else if (c == ']' || c == '}') {
      --level;
    }
  }
  return std::nullopt;
}

/// Takes everything, and keeps the place of the first thing that is wrong.
template <class Json>
struct Locator : nlohmann::json_sax<Json> {
  using typename nlohmann::json_sax<Json>::number_integer_t;
  using typename nlohmann::json_sax<Json>::number_unsigned_t;
  using typename nlohmann::json_sax<Json>::number_float_t;
  using typename nlohmann::json_sax<Json>::string_t;
  using typename nlohmann::json_sax<Json>::binary_t;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    byte = position;
    return false;
  }

  size_t byte = 0;
};

/// Reads a text and tells how far it got.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  Cursor operator++(int) {
    const Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// nlohmann keeps the last of repeated keys in silence.
template <class Json>
Json parse_without_repeats(std::string_view text, bool comments) {
  const char* at = text.data();
  std::vector<std::set<std::string>> keys;
  const typename Json::parser_callback_t watch = [&](int, nlohmann::detail::parse_event_t event,
                                                     Json& value) {
    using Event = nlohmann::detail::parse_event_t;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.template get<std::string>()).second) {
      const auto end = static_cast<size_t>(at - text.data());
      fail(text, text.substr(0, end - 1).rfind('"'),
           "the key " + shown(value) + " stands twice in one object");
    }
    return true;
  };
  return Json::parse(Cursor(at, &at), Cursor(text.data() + text.size(), &at), watch, true,
                     comments);
}

/// Without the library's own numbers and places.
std::string reason_of(const std::string& what) {
  const size_t number = what.find("] ");
  std::string reason = number == std::string::npos ? what : what.substr(number + 2);
  if (reason.starts_with("parse error")) {
    if (const size_t colon = reason.find(": "); colon != std::string::npos) {
      reason.erase(0, colon + 2);
    }
  }
  return shortened(reason, kMostReasonBytes);
}

}  // namespace

JsonError::JsonError(size_t line, size_t column, const std::string& reason)
    : std::runtime_error("line " + std::to_string(line) + ", column " + std::to_string(column) +
                         ": " + reason),
      line(line),
      column(column),
      reason(reason) {}

std::string json_text(std::istream& stream) {
  std::string text;
  for (std::array<char, 1 << 16> block; stream;) {
    stream.read(block.data(), std::ssize(block));
    text.append(block.data(), static_cast<size_t>(stream.gcount()));
    if (std::ssize(text) > most_json_bytes) {
      throw JsonError(1, 1, "more than " + std::to_string(most_json_bytes) + " bytes");
    }
  }
  return text;
}

template <class Json>
Json parse_json(std::string_view text, const JsonRules& rules) {
  if (const auto deep = too_deep(text, rules.comments)) {
    fail(text, *deep,
         "arrays and objects within one another, more than " + std::to_string(most_json_levels) +
             " deep");
  }
  try {
    return rules.repeated_keys ? Json::parse(text, nullptr, true, rules.comments)
                               : parse_without_repeats<Json>(text, rules.comments);
  } catch (const typename Json::exception& error) {
    Locator<Json> locator;
    Json::sax_parse(text, &locator, nlohmann::detail::input_format_t::json, true, rules.comments);
    // The place is behind the character that was wrong.
    fail(text, std::min(locator.byte == 0 ? 0 : locator.byte - 1, text.size()),
         reason_of(error.what()));
  }
}

template nlohmann::json parse_json(std::string_view, const JsonRules&);
template nlohmann::ordered_json parse_json(std::string_view, const JsonRules&);

}  // namespace flowqat
