/// JSON from anywhere, within limits: the one place where a text becomes values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace flowqat {

/// Arrays and objects within one another: values are copied, printed and compared by functions that
/// call themselves, and a text of brackets alone would use up the stack.
inline constexpr int most_json_levels = 100;
/// Of a file; safetensors has the same limit for its header. In memory values take some ten times
/// as much.
inline constexpr int64_t most_json_bytes = 100'000'000;

/// A text that is not JSON, is nested too deep, or holds a number that no double can.
class JsonError : public std::runtime_error {
 public:
  JsonError(size_t line, size_t column, const std::string& reason);

  const size_t line, column;  ///< from 1; column counts bytes
  const std::string reason;   ///< without the place; what() has both
};

/// All that a stream has. Throws JsonError for more than most_json_bytes: it may have no end.
std::string json_text(std::istream& stream);

struct JsonRules {
  bool comments = false;      ///< whether // and /* */ are passed over
  bool repeated_keys = true;  ///< whether an object may have a key twice; the last one counts
};

/// Throws JsonError, and no exception of the library. All texts in the result are UTF-8.
template <class Json>
Json parse_json(std::string_view text, const JsonRules& rules = {});

extern template nlohmann::json parse_json(std::string_view, const JsonRules&);
extern template nlohmann::ordered_json parse_json(std::string_view, const JsonRules&);

}  // namespace flowqat
