/// Any text as JSON, in both orders of keys: what is read is printed and read again as the same.
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

namespace {

template <class Json>
void read(std::string_view text, const JsonRules& rules) {
  try {
    const Json value = parse_json<Json>(text, rules);
    fuzz::require(parse_json<Json>(value.dump()) == value, "the same value again");
  } catch (const JsonError& error) {
    fuzz::require(error.line > 0 && error.column > 0 && error.column <= text.size() + 1, "a place");
    fuzz::require(std::string_view(error.what()).size() < 1000, "a short message");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const JsonRules rules{.comments = (data[0] & 1) != 0, .repeated_keys = (data[0] & 2) != 0};
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  read<nlohmann::json>(text, rules);
  read<nlohmann::ordered_json>(text, rules);
  return 0;
}
