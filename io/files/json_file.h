/// JSON files.
#pragma once
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "io/files/error.h"

namespace flowqat::io {

/// Throws Error naming the file, and line and column where it is not JSON or beyond the limits of
/// base/json_text.h.
nlohmann::json read_json(const std::filesystem::path& path);

/// Two spaces of indent and a final newline, written atomically. Throws Error when it cannot be
/// written or a text in it is not UTF-8.
void write_json(const std::filesystem::path& path, const nlohmann::json& json);

/// The object's value under `key`, or `fallback` if there is none or it is null. Throws Error
/// naming `origin`, the key and the value found when that is no T: a whole number must be one that
/// T holds.
template <typename T>
T value_or(const nlohmann::json& object, const char* key, T fallback,
           const std::filesystem::path& origin) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  bool fits = found->is_number();
  if constexpr (std::is_same_v<T, bool>) {
    fits = found->is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    // get<T>() would drop what does not fit.
    fits = found->is_number_integer() &&
           (found->is_number_unsigned() ? std::in_range<T>(found->get<uint64_t>())
                                        : std::in_range<T>(found->get<int64_t>()));
  } else if constexpr (std::is_same_v<T, std::string>) {
    fits = found->is_string();
  }
  if (!fits) {
    std::string wanted = std::is_same_v<T, bool>          ? "true or false"
                         : std::is_integral_v<T>          ? "an integer"
                         : std::is_same_v<T, std::string> ? "a string"
                                                          : "a number";
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (found->is_number_integer()) {
        wanted += " from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                  std::to_string(std::numeric_limits<T>::max());
      }
    }
    throw Error(origin,
                std::string("\"") + key + "\": expected " + wanted + ", found " + shown(*found));
  }
  return found->get<T>();
}

}  // namespace flowqat::io
