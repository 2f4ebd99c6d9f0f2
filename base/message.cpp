#include "base/message.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace flowqat {
namespace {

constexpr std::string_view kGap = " ... ";

/// Whether a character of UTF-8 goes on at `at`.
bool is_inside(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

template <class Json>
std::string shown_value(const Json& value) {
  return shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), most_shown_bytes);
}

}  // namespace

std::string shortened(std::string text, size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  const size_t kept = most_bytes - std::min(most_bytes, kGap.size());
  size_t head = kept - kept / 4, tail = text.size() - kept / 4;
  // Of bytes that are no UTF-8 at all, four are enough to look at.
  for (int i = 0; i < 3 && head > 0 && is_inside(text, head); ++i) --head;
  for (int i = 0; i < 3 && is_inside(text, tail); ++i) ++tail;
  return text.substr(0, head).append(kGap).append(text, tail);
}

std::string message(std::string text) {
  text = shortened(std::move(text));
  for (size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) text.replace(at, 1, "\\0");
  return text;
}

std::string shown(const nlohmann::json& value) { return shown_value(value); }
std::string shown(const nlohmann::ordered_json& value) { return shown_value(value); }

}  // namespace flowqat
