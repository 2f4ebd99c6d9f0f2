#include "io/files/json_file.h"

#include <algorithm>
#include <string>

#include "io/files/atomic_file.h"
#include "io/files/input_file.h"

namespace flowqat::io {

nlohmann::json read_json(const std::filesystem::path& path) {
  const InputFile file(path);
  std::string text(static_cast<size_t>(file.size_bytes()), '\0');
  text.resize(file.read(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    // `byte` counts from 1 and stands behind the character that was wrong.
    const size_t end = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    const auto before = std::string_view(text).substr(0, end);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    std::string what = error.what();
    what = what.substr(what.find("] ") + 2);
    throw Error(path, "not JSON at line " + std::to_string(line) + ", column " +
                          std::to_string(end - line_start + 1) + ": " + what);
  }
}

void write_json(const std::filesystem::path& path, const nlohmann::json& json) {
  std::string text;
  try {
    text = json.dump(2) + "\n";
  } catch (const nlohmann::json::type_error& error) {
    throw Error(path, std::string("cannot be written: a text in it is not UTF-8: ") + error.what());
  }
  write_file_atomically(path, text);
}

}  // namespace flowqat::io
